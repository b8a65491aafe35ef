package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/fixtures"
	"yinxin/internal/hashstate"
	"yinxin/internal/store"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
	"yinxin/sealer/ses"
	"yinxin/sealer/verify"
)

// bench is what the figures work on: a real installation, and one sealed document of 60 kB.
type bench struct {
	ctx      context.Context
	h        *installation
	prepared *sealer.Prepared
	options  verify.Options
	small    []byte // original
	state    []byte // SM3 after the original
	update   []byte
	field    string
	sealed   []byte // small and update
	// What the formats make one hash and sign.
	before, after, tbs, info []byte
	key                      *sm2.PrivateKey
	digest                   [32]byte
	signature                []byte
}

const smallSize = 60 << 10

// The figures over an installation, besides those of issuing and publishing.
const (
	sealFigure    = "seal-small"
	releaseFigure = "release-check"
	verifyFigure  = "verify-small"
	fiftyFigure   = "verify-50"
	pageFigure    = "verifier-page-5mb"
	bigFigure     = "seal-200mb-after-upload"
)

// installationFigures are those that need an installation, in the order in which they are measured.
var installationFigures = []string{sealFigure, releaseFigure, verifyFigure, fiftyFigure, pageFigure, bigFigure, issueFigure, ocspFigure, crlFigure, httpFigure, pacedFigure}

// figures builds the installation in dir and gives the figures over it.
func figures(ctx context.Context, dir string, s streams, asked func(name string) bool) (_ []figure, done func(), err error) {
	var ends []func()
	end := func() {
		for _, f := range slices.Backward(ends) {
			f()
		}
	}
	defer func() {
		if err != nil {
			end()
		}
	}()
	quiet := s
	quiet.out = io.Discard
	if err := (demoCommand{Dir: filepath.Join(dir, "demo"), Listen: defaultListen, NoServe: true, Bare: true}).Run(ctx, quiet); err != nil {
		return nil, nil, err
	}
	h, err := openInstallation(ctx, dataFlags{Data: filepath.Join(dir, "demo")}, s.now)
	if err != nil {
		return nil, nil, err
	}
	ends = append(ends, func() { h.close() })
	b := &bench{ctx: ctx, h: h}
	if err := b.prepare(); err != nil {
		return nil, nil, err
	}
	floorDB, err := store.Open(ctx, filepath.Join(dir, "floor.db"))
	if err != nil {
		return nil, nil, err
	}
	ends = append(ends, func() { floorDB.Close() })
	// Each group is prepared only where one of its figures was asked for.
	var list []figure
	for _, group := range []struct {
		names []string
		make  func() ([]figure, error)
	}{
		{[]string{sealFigure, releaseFigure, verifyFigure}, func() ([]figure, error) {
			return []figure{
				{name: sealFigure, run: b.sealSmall, floor: b.sealFloor},
				{name: releaseFigure, run: b.releaseCheck, floor: b.releaseFloor},
				{name: verifyFigure, run: b.verifySmall, floor: b.verifyFloor},
			}, nil
		}},
		{[]string{fiftyFigure}, func() ([]figure, error) {
			fifty, err := b.fifty()
			if err != nil {
				return nil, err
			}
			return []figure{{name: fiftyFigure, run: fifty.verify, floor: fifty.floor}}, nil
		}},
		{[]string{pageFigure}, func() ([]figure, error) {
			page, err := b.verifierPage()
			if err != nil {
				return nil, err
			}
			return []figure{{name: pageFigure, run: page.answer, floor: page.floor, prepare: page.prepare, release: page.release}}, nil
		}},
		{[]string{bigFigure}, func() ([]figure, error) {
			big, err := b.big(filepath.Join(dir, "big.pdf"))
			if err != nil {
				return nil, err
			}
			ends = append(ends, func() { big.file.Close() })
			return []figure{{name: bigFigure, run: big.seal, floor: b.sealSmall}}, nil
		}},
		{[]string{issueFigure}, func() ([]figure, error) {
			issuing, err := b.issuing(floorDB)
			if err != nil {
				return nil, err
			}
			return []figure{{name: issueFigure, run: issuing.issue, floor: issuing.floor}}, nil
		}},
		{[]string{ocspFigure, crlFigure}, func() ([]figure, error) {
			publishing, err := b.publishing()
			if err != nil {
				return nil, err
			}
			return []figure{
				{name: ocspFigure, run: publishing.ocsp, floor: publishing.ocspFloor},
				{name: crlFigure, run: publishing.crl, floor: publishing.crlFloor},
			}, nil
		}},
		{[]string{httpFigure, pacedFigure}, func() ([]figure, error) {
			calls, err := b.overHTTP(dir, floorDB)
			if err != nil {
				return nil, err
			}
			ends = append(ends, calls.close)
			return []figure{
				{name: httpFigure, run: calls.seal, floor: calls.floor, prepare: calls.prepare, release: calls.release},
				{name: pacedFigure, value: calls.paced(calls.call), least: calls.paced(calls.least), prepare: calls.pace, release: calls.release},
			}, nil
		}},
	} {
		if !slices.ContainsFunc(group.names, asked) {
			continue
		}
		more, err := group.make()
		if err != nil {
			return nil, nil, err
		}
		list = append(list, more...)
	}
	return list, end, nil
}

func (b *bench) prepare() error {
	actor, err := b.h.operator(b.ctx, "")
	if err != nil {
		return err
	}
	list, err := b.h.register.Seals(b.ctx, actor)
	if err != nil {
		return err
	}
	in, err := b.h.register.Authorise(b.ctx, actor, list[0].Code)
	if err != nil {
		return err
	}
	key, err := b.h.keys.Ring(keystore.PurposeSealing).Get(b.ctx, in.KeyName)
	if err != nil {
		return err
	}
	if b.prepared, err = sealer.Prepare(sealer.Preparation{Instance: in, Public: key.Public(), Key: key, Profile: sealer.ProfileSeal,
		Filter: "GM.PKILite", SubFilter: "GM.sm2seal"}); err != nil {
		return err
	}
	// What the register and the CA say is fetched once: the figures are those of the check itself, chains known.
	anchors, crls, err := chain.LoadTrust(filepath.Join(b.h.dir, trustName))
	if err != nil {
		return err
	}
	now := b.h.now()
	state, err := sealer.SealStatus(b.h.register)(b.ctx, in.SealCode, in.Seal, now)
	if err != nil {
		return err
	}
	b.options = verify.Options{Chain: &chain.Verifier{Anchors: anchors, Revocation: chain.NewCRLSource(crls...)}, At: now,
		SealStatus: func(context.Context, string, []byte, time.Time) (verify.SealState, error) { return state, nil }}
	var original bytes.Buffer
	if err := fixtures.WriteBig(&original, smallSize, 12, fixtures.BigTable); err != nil {
		return err
	}
	b.small = original.Bytes()
	return b.floors(in)
}

// floors takes the small document apart into what has to be hashed and signed for it.
func (b *bench) floors(in register.Instance) error {
	plan, update, err := b.seal(bytes.NewReader(b.small), int64(len(b.small)), hashOf(b.small))
	if err != nil {
		return err
	}
	b.update, b.field = update, plan.Field()
	if b.state, err = hashstate.Of(hashOf(b.small)); err != nil {
		return err
	}
	b.sealed = append(bytes.Clone(b.small), update...)
	r, err := fixtures.ByteRange(b.sealed)
	if err != nil {
		return err
	}
	b.before, b.after = b.sealed[len(b.small):r[1]], b.sealed[r[2]:]
	seal, err := ses.ParseSeal(in.Seal)
	if err != nil {
		return err
	}
	form, err := ses.NewForm(in.Seal, pdf.PropertyLength())
	if err != nil {
		return err
	}
	b.info, b.tbs = seal.RawInfo, append(bytes.Clone(form.Prefix()), make([]byte, 150)...)
	if b.key, err = sm2.GenerateKey(rand.Reader); err != nil {
		return err
	}
	b.signature, err = sm2.SignASN1(rand.Reader, b.key, b.digest[:], nil)
	return err
}

// seal plans, hashes, signs and assembles; original is the hash state after the document.
func (b *bench) seal(r io.ReaderAt, size int64, original hash.Hash) (*sealer.Plan, []byte, error) {
	doc, err := pdf.Open(b.ctx, r, size)
	if err != nil {
		return nil, nil, err
	}
	plan, err := b.prepared.Plan(b.ctx, doc, original, pdf.SealRequest{Time: b.h.now().UTC(), Signer: "bench",
		Placements: []pdf.Placement{{Page: 1, X: 20, Y: 20}}}, nil)
	if err != nil {
		return nil, nil, err
	}
	update, err := plan.Sign(b.ctx)
	return plan, update, err
}

func hashOf(parts ...[]byte) hash.Hash {
	h := sm3.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h
}

func (b *bench) sealSmall() error {
	_, update, err := b.seal(bytes.NewReader(b.small), int64(len(b.small)), hashOf(b.small))
	if err == nil {
		_ = append(b.small[:len(b.small):len(b.small)], update...)
	}
	return err
}

func (b *bench) sealFloor() error {
	hashOf(b.small, b.before, b.after).Sum(nil)
	hashOf(b.tbs[len(b.tbs)-150:]).Sum(nil)
	_, err := sm2.SignASN1(rand.Reader, b.key, b.digest[:], nil)
	return err
}

// releaseCheck is the check of a sealed document before it is handed out, from the kept state of its original.
func (b *bench) releaseCheck() error {
	_, err := verify.Release(b.ctx, verify.ReleaseCheck{Original: bytes.NewReader(b.small), OriginalSize: int64(len(b.small)), State: b.state,
		Update: b.update, Field: b.field, Chain: b.options.Chain, At: b.options.At, SealStatus: b.options.SealStatus})
	return err
}

func (b *bench) releaseFloor() error {
	hashOf(b.before, b.after).Sum(nil)
	return b.sealChecks()
}

// sealChecks is what every check of a seal signature has to hash and verify while its chains are known.
func (b *bench) sealChecks() error {
	hashOf(b.tbs).Sum(nil)
	hashOf(b.info).Sum(nil)
	for range 2 {
		if !sm2.VerifyASN1(&b.key.PublicKey, b.digest[:], b.signature) {
			return errInternal.New()
		}
	}
	return nil
}

func (b *bench) verifySmall() error {
	r := verify.File(b.ctx, "", bytes.NewReader(b.sealed), int64(len(b.sealed)), b.options)
	if r.Verdict != verify.Valid {
		return errInternal.With("%s", r.Summary)
	}
	return nil
}

func (b *bench) verifyFloor() error {
	hashOf(b.small, b.before, b.after).Sum(nil)
	return b.sealChecks()
}

// bigFile is an uploaded document of 200 MB: its file and the hash state kept at upload.
type bigFile struct {
	b     *bench
	file  *os.File
	size  int64
	state []byte
}

func (b *bench) big(name string) (*bigFile, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	h := sm3.New()
	if err := fixtures.WriteBig(io.MultiWriter(f, h), 200<<20, 100_000, fixtures.BigTable); err != nil {
		f.Close()
		return nil, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	state, err := hashstate.Of(h)
	return &bigFile{b: b, file: f, size: size, state: state}, err
}

func (f *bigFile) seal() error {
	h, err := hashstate.Resume(sm3.New(), f.state)
	if err != nil {
		return err
	}
	_, _, err = f.b.seal(f.file, f.size, h)
	return err
}
