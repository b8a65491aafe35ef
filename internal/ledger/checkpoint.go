package ledger

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"
	"github.com/transparency-dev/merkle/proof"

	"yinxin/internal/oid"
	"yinxin/internal/store"
)

const (
	// noteLimit bounds a checkpoint that is read, in bytes. Ours have about 300.
	noteLimit     = 4096
	signatureKind = "\xffsm2-sm3"
	dash          = "\u2014 "
	timePrefix    = "time "
)

// Checkpoint is a signed statement: at that time the ledger had Size entries and this root.
type Checkpoint struct {
	Origin string // names the ledger by its key
	Size   int64  // entries
	Root   []byte // 32 bytes
	Time   time.Time
	Note   string // the whole text with its signature, for export
}

// Continues says whether the proof (RFC 6962 section 2.1.2) shows that the ledger of the checkpoint begins with that of an
// earlier one.
func (c Checkpoint) Continues(earlier Checkpoint, hashes [][]byte) error {
	return proof.VerifyConsistency(Hasher{}, uint64(earlier.Size), uint64(c.Size), hashes, earlier.Root, c.Root)
}

// Origin is the name of the ledger that the key signs.
func Origin(pub *ecdsa.PublicKey) (string, error) {
	spki, err := smx509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", errCheckpoint.Because(err)
	}
	sum := sm3.Sum(spki)
	return "yinxin-ledger/" + hex.EncodeToString(sum[:8]), nil
}

// keyID names the key within a note.
func keyID(origin string, pub *ecdsa.PublicKey) ([]byte, error) {
	spki, err := smx509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, errCheckpoint.Because(err)
	}
	sum := sm3.Sum([]byte(origin + "\n" + signatureKind + string(spki)))
	return sum[:4], nil
}

// FormatCheckpoint gives the text of a checkpoint that is signed: the four lines of the format in the comment of the
// package, each with its line end.
func FormatCheckpoint(origin string, size int64, root []byte, at time.Time) string {
	return fmt.Sprintf("%s\n%d\n%s\n%s%s\n", origin, size, base64.StdEncoding.EncodeToString(root), timePrefix, store.Time(at))
}

// ParseCheckpoint reads a signed checkpoint and checks its signature. Error: ledger.checkpoint.
func ParseCheckpoint(note string, pub *ecdsa.PublicKey) (Checkpoint, error) {
	c, text, signature, err := splitCheckpoint(note)
	if err != nil {
		return Checkpoint{}, err
	}
	origin, err := Origin(pub)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != origin {
		return Checkpoint{}, errCheckpoint.Sayingf("由另一密钥签出：%s", "made by another key: %s", c.Origin)
	}
	id, err := keyID(origin, pub)
	if err != nil {
		return Checkpoint{}, err
	}
	if !bytes.HasPrefix(signature, id) {
		return Checkpoint{}, errCheckpoint.With("key ID")
	}
	e, err := digest(pub, text)
	if err != nil {
		return Checkpoint{}, err
	}
	if !sm2.VerifyASN1(pub, e[:], signature[len(id):]) {
		return Checkpoint{}, errCheckpoint.Saying("签名", "signature")
	}
	return c, nil
}

// splitCheckpoint takes a note apart. Only the one spelling that FormatCheckpoint has is read.
func splitCheckpoint(note string) (c Checkpoint, text string, signature []byte, err error) {
	malformed := func(what string) (Checkpoint, string, []byte, error) {
		return Checkpoint{}, "", nil, errCheckpoint.With("%s", what)
	}
	if len(note) > noteLimit {
		return malformed("too long")
	}
	lines := strings.Split(note, "\n")
	if len(lines) != 7 || lines[4] != "" || lines[6] != "" {
		return malformed("lines")
	}
	c = Checkpoint{Origin: lines[0], Note: note}
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 {
		return malformed("size")
	}
	if c.Root, err = base64.StdEncoding.Strict().DecodeString(lines[2]); err != nil || len(c.Root) != sm3.Size {
		return malformed("root")
	}
	at, ok := strings.CutPrefix(lines[3], timePrefix)
	if !ok {
		return malformed("time")
	}
	if c.Time, err = store.ParseTime(at); err != nil {
		return malformed("time")
	}
	encodedSignature, ok := strings.CutPrefix(lines[5], dash+c.Origin+" ")
	if !ok {
		return malformed("signature line")
	}
	if signature, err = base64.StdEncoding.Strict().DecodeString(encodedSignature); err != nil {
		return malformed("signature line")
	}
	text = FormatCheckpoint(c.Origin, c.Size, c.Root, c.Time)
	if !strings.HasPrefix(note, text+"\n") {
		return malformed("spelling")
	}
	return c, text, signature, nil
}

// signCheckpoint signs the state of the tree.
func signCheckpoint(ctx context.Context, key Signer, size int64, root []byte, at time.Time) (Checkpoint, error) {
	origin, err := Origin(key.Public())
	if err != nil {
		return Checkpoint{}, err
	}
	id, err := keyID(origin, key.Public())
	if err != nil {
		return Checkpoint{}, err
	}
	text := FormatCheckpoint(origin, size, root, at)
	e, err := digest(key.Public(), text)
	if err != nil {
		return Checkpoint{}, err
	}
	signature, err := key.SignDigest(ctx, e)
	if err != nil {
		return Checkpoint{}, err
	}
	note := text + "\n" + dash + origin + " " + base64.StdEncoding.EncodeToString(append(id, signature...)) + "\n"
	// What was just made is read back: a key that signs with another than it shows would make checkpoints for nothing.
	return ParseCheckpoint(note, key.Public())
}

// digest is e = SM3(Z ‖ text), GB/T 32918.2 clause 6.1.
func digest(pub *ecdsa.PublicKey, text string) (e [32]byte, err error) {
	z, err := sm2.CalculateZA(pub, []byte(oid.SM2UserID))
	if err != nil {
		return e, errCheckpoint.Because(err)
	}
	return sm3.Sum(append(z, text...)), nil
}
