//go:build cgo && !windows

package agent

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/fixtures"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/ses"
	"yinxin/sealer/terminal/manifest"
)

func hexSM3(b []byte) string {
	sum := sm3.Sum(b)
	return hex.EncodeToString(sum[:])
}

// sealing is a prepared file with what a manifest says of it, made from the rooms below the service: what a server makes,
// and what a server that cheats could make.
type sealing struct {
	w        *world
	original []byte
	update   *pdf.Update
	request  pdf.SealRequest
	m        *manifest.Manifest
	file     []byte
}

// prepared makes an honest one; request may be changed before it is planned.
func (w *world) prepared(b []byte, profile sealer.Profile, change ...func(*pdf.SealRequest)) *sealing {
	w.t.Helper()
	ctx := w.t.Context()
	appearance, err := pdf.NewAppearance(w.instance.Picture, w.instance.Width, w.instance.Height)
	w.must(err)
	s := &sealing{w: w, original: b, request: pdf.SealRequest{Filter: "GM.PKILite", SubFilter: "GM.sm2seal", ContentsSize: 8 << 10, Time: w.now.read(),
		Signer: w.instance.SealName, Reason: "出证", Appearance: appearance, Placements: []pdf.Placement{{Page: 1, X: 20, Y: 20}}}}
	for _, c := range change {
		c(&s.request)
	}
	doc, err := pdf.Open(ctx, bytes.NewReader(b), int64(len(b)))
	w.must(err)
	s.update, err = doc.PlanSeal(ctx, s.request)
	w.must(err)
	filled, err := s.update.Fill(nil)
	w.must(err)
	s.m = &manifest.Manifest{Document: manifest.Document{ID: "d", Name: "复制件.pdf"}, Profile: string(profile), Field: s.update.Field(),
		Seal:        manifest.SealOfOrder{Code: w.instance.SealCode, Name: w.instance.SealName, SM3: hexSM3(w.instance.Seal)},
		Certificate: hexSM3(w.instance.Certificate), Issued: w.now.read(), Expires: w.now.read().Add(5 * time.Minute)}
	for _, m := range s.update.Marks() {
		s.m.Marks = append(s.m.Marks, manifest.Mark{Page: m.Page, X: m.Shown.X1, Y: m.Shown.Y1, Width: m.Shown.Width(), Height: m.Shown.Height()})
	}
	s.set(append(bytes.Clone(b), filled...))
	return s
}

// set takes a file and says of it what a server would.
func (s *sealing) set(file []byte) {
	s.w.t.Helper()
	s.file = file
	before, after := s.update.Before(), s.update.After()
	gap := len(file) - len(s.original) - len(before) - len(after)
	covered := append(append(bytes.Clone(s.original), before...), file[len(s.original)+len(before)+gap:]...)
	s.m.Document.Size, s.m.Document.SM3 = int64(len(s.original)), hexSM3(s.original)
	s.m.Prepared.Size, s.m.Prepared.SM3 = int64(len(file)), hexSM3(file)
	s.m.ByteRange, s.m.DataHash = s.update.Property(), hexSM3(covered)
	s.m.ToBeSigned = s.toSign(s.w.now.read(), sm3.Sum(covered), s.m.ByteRange)
}

func (s *sealing) toSign(at time.Time, hash [32]byte, property string) []byte {
	s.w.t.Helper()
	if sealer.Profile(s.m.Profile) == sealer.ProfileSeal {
		form, err := ses.NewForm(s.w.instance.Seal, len(property))
		s.w.must(err)
		suffix, err := form.Suffix(at, hash, property)
		s.w.must(err)
		return append(bytes.Clone(form.Prefix()), suffix...)
	}
	certificate, err := chain.ParseCertificate(s.w.instance.Certificate)
	s.w.must(err)
	profile := cms.ProfileCMS
	if sealer.Profile(s.m.Profile) == sealer.ProfileCMSGM {
		profile = cms.ProfileGM
	}
	writer, err := cms.NewWriter(cms.Template{Profile: profile, Certificate: certificate, Seal: s.w.instance.Seal})
	s.w.must(err)
	return writer.Prepare(hash, at).Signed()
}

func (s *sealing) check(ctx context.Context) (*checked, error) {
	return check(ctx, s.m, bytes.NewReader(s.file), int64(len(s.file)), s.w.now.read())
}

func TestAnHonestPreparedFileIsAccepted(t *testing.T) {
	w := newWorld(t)
	b := original(t, 3)
	for name, change := range map[string]func(*pdf.SealRequest){
		"one place":      func(*pdf.SealRequest) {},
		"several places": func(r *pdf.SealRequest) { r.Placements = append(r.Placements, pdf.Placement{Page: 2, X: 100, Y: 200}) },
		"straddle":       func(r *pdf.SealRequest) { r.Straddle = &pdf.Straddle{} },
		"invisible":      func(r *pdf.SealRequest) { r.Placements = nil },
		"certified":      func(r *pdf.SealRequest) { r.Certify = 2 },
		"locked":         func(r *pdf.SealRequest) { r.Lock = &pdf.FieldLock{Action: pdf.LockAll} },
	} {
		for _, profile := range sealer.Profiles {
			s := w.prepared(b, profile, change)
			k, err := s.check(t.Context())
			if err != nil {
				t.Errorf("%s, %s: %v", name, profile, err)
				continue
			}
			if k.pages != 2 || k.reason != "出证" || k.said.seal.Name != w.instance.SealName {
				t.Errorf("%s, %s: %d pages, %q", name, profile, k.pages, k.reason)
			}
			certificate, err := chain.ParseCertificate(w.instance.Certificate)
			w.must(err)
			if err := k.said.rewritten(profile, s.m.ToBeSigned, certificate); err != nil {
				t.Errorf("%s, %s: %v", name, profile, err)
			}
		}
	}
}

// TestWhatIsNotAsShownIsRefused has servers that cheat, in everything that is shown or signed.
func TestWhatIsNotAsShownIsRefused(t *testing.T) {
	w := newWorld(t)
	b := original(t, 3)
	other := w.make(&w.otherKey().PublicKey)
	for _, c := range []struct {
		name   string
		want   string
		change func(s *sealing)
	}{
		{"expired", "terminal.manifest-expired", func(s *sealing) { s.m.Expires = w.now.read() }},
		{"of tomorrow", "terminal.clock", func(s *sealing) {
			s.m.Issued = w.now.read().Add(time.Hour)
			s.m.Expires = w.now.read().Add(2 * time.Hour)
		}},
		{"another size", "agent.document", func(s *sealing) { s.m.Prepared.Size++ }},
		{"another document", "agent.document", func(s *sealing) { s.m.Document.SM3 = hexSM3([]byte("another")) }},
		{"another length of the original", "agent.document", func(s *sealing) { s.m.Document.Size -= 10 }},
		{"another prepared file", "agent.document", func(s *sealing) { s.file[len(s.file)-3] ^= 1 }},
		{"a page changed below the seal", "agent.document", func(s *sealing) {
			s.below(fixtures.AppendRevision(b, map[int]string{s.page(): "<</Type/Page/MediaBox[0 0 300 300]>>"}, s.trailer(), s.objects()))
		}},
		{"another seal below the seal", "agent.document", func(s *sealing) {
			s.below(w.prepared(b, sealer.ProfileSeal, func(r *pdf.SealRequest) { r.Placements[0].Y = 150 }).file)
		}},
		{"a second update", "agent.document", func(s *sealing) { s.more() }},
		{"something behind the end", "agent.document", func(s *sealing) { s.append([]byte("\n% more\n")) }},
		{"a signature in it already", "agent.document", func(s *sealing) { s.fill() }},
		{"another field", "agent.document", func(s *sealing) { s.m.Field = "Seal2" }},
		{"another byte range", "agent.document", func(s *sealing) { s.m.ByteRange = "[0 0000000001 0000000002 0000000003]" }},
		{"a mark that is not named", "agent.document", func(s *sealing) { s.m.Marks = s.m.Marks[1:] }},
		{"a mark that is not there", "agent.document", func(s *sealing) { s.m.Marks = append(s.m.Marks, s.m.Marks[0]) }},
		{"a mark elsewhere", "agent.document", func(s *sealing) { s.m.Marks[0].X += 0.1 }},
		{"a mark on another page", "agent.document", func(s *sealing) { s.m.Marks[0].Page = 2 }},
		{"a mark of another size", "agent.document", func(s *sealing) { s.m.Marks[0].Width /= 2 }},
		{"another seal by code", "agent.to-be-signed", func(s *sealing) { s.m.Seal.Code = "29010000000018" }},
		{"another seal by name", "agent.to-be-signed", func(s *sealing) { s.m.Seal.Name = "另一枚" }},
		{"another seal by digest", "agent.to-be-signed", func(s *sealing) { s.m.Seal.SM3 = hexSM3(other.Seal) }},
		{"another certificate", "agent.to-be-signed", func(s *sealing) { s.m.Certificate = hexSM3(other.Certificate) }},
		{"another profile", "agent.to-be-signed", func(s *sealing) { s.m.Profile = "cms" }},
		{"an unknown profile", "agent.to-be-signed", func(s *sealing) { s.m.Profile = "none" }},
		{"another digest signed", "agent.to-be-signed", func(s *sealing) {
			s.m.ToBeSigned = s.toSign(w.now.read(), sm3.Sum([]byte("another")), s.m.ByteRange)
		}},
		{"another digest said and signed", "agent.document", func(s *sealing) {
			s.m.DataHash = hexSM3([]byte("another"))
			s.m.ToBeSigned = s.toSign(w.now.read(), sm3.Sum([]byte("another")), s.m.ByteRange)
		}},
		{"another byte range signed", "agent.to-be-signed", func(s *sealing) {
			hash, _ := hex.DecodeString(s.m.DataHash)
			s.m.ToBeSigned = s.toSign(w.now.read(), [32]byte(hash), "[0 0000000001 0000000002 0000000003]")
		}},
		{"a time of last week", "agent.to-be-signed", func(s *sealing) {
			hash, _ := hex.DecodeString(s.m.DataHash)
			s.m.ToBeSigned = s.toSign(w.now.read().AddDate(0, 0, -7), [32]byte(hash), s.m.ByteRange)
		}},
		{"another seal signed", "agent.to-be-signed", func(s *sealing) {
			hash, _ := hex.DecodeString(s.m.DataHash)
			mine := w.instance
			w.instance = other
			s.m.ToBeSigned = s.toSign(w.now.read(), [32]byte(hash), s.m.ByteRange)
			w.instance = mine
		}},
		{"an extension in what is signed", "agent.to-be-signed", func(s *sealing) {
			content := append(bytes.Clone(s.m.ToBeSigned[headerLength(s.m.ToBeSigned):]), 0xa0, 2, 0x30, 0)
			s.m.ToBeSigned = append([]byte{0x30, 0x82, byte(len(content) >> 8), byte(len(content))}, content...)
		}},
		{"something behind what is signed", "agent.to-be-signed", func(s *sealing) { s.m.ToBeSigned = append(s.m.ToBeSigned, 0) }},
		{"no bytes to sign", "agent.to-be-signed", func(s *sealing) { s.m.ToBeSigned = nil }},
		{"a bare digest", "agent.to-be-signed", func(s *sealing) { s.m.ToBeSigned = bytes.Repeat([]byte{7}, 32) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := w.prepared(b, sealer.ProfileSeal)
			if _, err := s.check(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.change(s)
			_, err := s.check(t.Context())
			wants(t, err, c.want)
		})
	}
}

// below has the seal made over another file, and says that it is over the original.
func (s *sealing) below(file []byte) {
	s.w.t.Helper()
	made := s.w.prepared(file, sealer.ProfileSeal)
	made.m.Document.Size, made.m.Document.SM3 = int64(len(s.original)), hexSM3(s.original)
	*s = *made
}

// page is the object of the first page.
func (s *sealing) page() int {
	s.w.t.Helper()
	page, err := s.doc().Page(1)
	s.w.must(err)
	return page.Ref.Num
}

func (s *sealing) doc() *pdf.Document {
	s.w.t.Helper()
	doc, err := pdf.Open(s.w.t.Context(), bytes.NewReader(s.original), int64(len(s.original)))
	s.w.must(err)
	return doc
}

func (s *sealing) trailer() string {
	_, root, err := s.doc().Catalog()
	s.w.must(err)
	return "/Root " + root.String()
}

func (s *sealing) objects() int {
	size, _ := s.doc().Trailer().Get("Size").(pdf.Integer)
	return int(size)
}

// more puts a second seal behind the first, and says all that is right about the first.
func (s *sealing) more() {
	s.w.t.Helper()
	again := s.w.prepared(s.file, sealer.ProfileSeal, func(r *pdf.SealRequest) { r.Placements[0].Y = 150 })
	s.file = again.file
	s.m.Prepared.Size, s.m.Prepared.SM3 = int64(len(s.file)), hexSM3(s.file)
}

func (s *sealing) append(b []byte) {
	s.file = append(s.file, b...)
	s.m.Prepared.Size, s.m.Prepared.SM3 = int64(len(s.file)), hexSM3(s.file)
}

// fill puts something where the signature goes.
func (s *sealing) fill() {
	s.w.t.Helper()
	filled, err := s.update.Fill([]byte{0x30, 0x03, 0x02, 0x01, 0x01})
	s.w.must(err)
	s.file = append(bytes.Clone(s.original), filled...)
	s.m.Prepared.SM3 = hexSM3(s.file)
}

// TestAttributesHoldNothingElse: what is signed in a profile of CMS is written again, octet for octet.
func TestAttributesHoldNothingElse(t *testing.T) {
	w := newWorld(t)
	certificate, err := chain.ParseCertificate(w.instance.Certificate)
	w.must(err)
	s := w.prepared(original(t, 3), sealer.ProfileCMSGM)
	k, err := s.check(t.Context())
	w.must(err)
	w.must(k.said.rewritten(sealer.ProfileCMSGM, s.m.ToBeSigned, certificate))
	wants(t, k.said.rewritten(sealer.ProfileCMS, s.m.ToBeSigned, certificate), "agent.to-be-signed")
	// One attribute more, which nothing compares.
	extra := []byte{0x30, 0x0b, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x31, 0x04, 0x04, 0x02, 0x01, 0x02}
	at := headerLength(s.m.ToBeSigned)
	longer := append(append([]byte{0x31, 0x82, 0, 0}, s.m.ToBeSigned[at:]...), extra...)
	n := len(longer) - 4
	longer[2], longer[3] = byte(n>>8), byte(n)
	s.m.ToBeSigned = longer
	k, err = s.check(t.Context())
	w.must(err)
	wants(t, k.said.rewritten(sealer.ProfileCMSGM, s.m.ToBeSigned, certificate), "agent.to-be-signed")
}

func headerLength(der []byte) int {
	if der[1] < 0x80 {
		return 2
	}
	return 2 + int(der[1]&0x7f)
}
