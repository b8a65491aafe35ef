//go:build cgo && !windows

package agent

import (
	"bytes"
	"context"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/sealer"
)

// FuzzPrepared has a server that answers with anything: a prepared file and bytes to be signed. Nothing may panic, and what is
// accepted must be the very file and bytes of the honest one, since the digests are those of that.
func FuzzPrepared(f *testing.F) {
	w := newWorld(f)
	honest := w.prepared(original(f, 3), sealer.ProfileSeal)
	tail := honest.file[len(honest.original):]
	f.Add(tail, honest.m.ToBeSigned, false)
	f.Add(tail[:len(tail)/2], honest.m.ToBeSigned[:100], false)
	f.Add(bytes.Replace(tail, []byte("/Sig"), []byte("/Tx "), 1), honest.m.ToBeSigned, true)
	cms := w.prepared(original(f, 3), sealer.ProfileCMSGM)
	f.Add(cms.file[len(cms.original):], cms.m.ToBeSigned, true)
	content := append(bytes.Clone(honest.m.ToBeSigned[headerLength(honest.m.ToBeSigned):]), 0xa0, 2, 0x30, 0) // an extension, which nothing compares
	f.Add(tail, append([]byte{0x30, 0x82, byte(len(content) >> 8), byte(len(content))}, content...), false)
	certificate, err := chain.ParseCertificate(w.instance.Certificate)
	w.must(err)
	f.Fuzz(func(t *testing.T, update, toSign []byte, other bool) {
		m := *honest.m
		if other {
			m.Profile = string(sealer.ProfileCMSGM)
		}
		m.ToBeSigned = toSign
		file := append(bytes.Clone(honest.original), update...)
		m.Prepared.Size, m.Prepared.SM3 = int64(len(file)), hexSM3(file)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		k, err := check(ctx, &m, bytes.NewReader(file), int64(len(file)), w.now.read())
		if ctx.Err() != nil {
			t.Fatal("it takes too long")
		}
		if err != nil {
			return
		}
		// Of signed attributes it is found out, once the certificate is there, that there is nothing else in them.
		if err := k.said.rewritten(sealer.Profile(m.Profile), toSign, certificate); err == nil && !bytes.Equal(toSign, honest.m.ToBeSigned) && !bytes.Equal(toSign, cms.m.ToBeSigned) {
			t.Error("accepted, and yet other bytes")
		}
	})
}
