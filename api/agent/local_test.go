//go:build cgo && !windows

package agent

import (
	"bytes"
	"slices"
	"testing"

	"yinxin/hsm"
	"yinxin/internal/files"
	"yinxin/sealer"
	"yinxin/sealer/verify"
)

func (w *world) local(desk Desk) Local {
	return Local{Device: w.device, Desk: desk, Clock: w.now.read, Planner: sealer.New(sealer.Config{Clock: w.now.read})}
}

func TestALocalFileIsSealedWithWhatIsOnTheToken(t *testing.T) {
	w := newWorld(t)
	b := original(t, 3)
	for _, c := range []struct {
		name    string
		profile sealer.Profile
		trusted bool
		want    verify.Verdict
	}{
		{"without anchors", "", false, verify.Undetermined},
		{"with anchors", "", true, verify.Valid},
		{"as CMS", sealer.ProfileCMS, true, verify.Valid},
	} {
		t.Run(c.name, func(t *testing.T) {
			desk := &clerk{}
			local := w.local(desk)
			if c.trusted {
				local.Chain = w.Sealer.Chain
			}
			file := inMemory{bytes.NewReader(b)}
			done, err := local.SealFile(t.Context(), "复制件.pdf", file, sealer.Order{Places: places(), Profile: c.profile})
			w.must(err)
			var sealed bytes.Buffer
			w.must(done.WriteSealed(&sealed, file))
			if done.Verdict != c.want || !bytes.HasPrefix(sealed.Bytes(), b) || w.verdict(sealed.Bytes()) != verify.Valid {
				t.Errorf("%s, %s", done.Verdict, w.verdict(sealed.Bytes()))
			}
			if len(desk.askedPIN) != 1 || desk.askedPIN[0].Token != label {
				t.Errorf("asked %+v", desk.askedPIN)
			}
		})
	}
}

func TestLocalRefusals(t *testing.T) {
	w := newWorld(t)
	file := func() files.Object { return inMemory{bytes.NewReader(original(t, 3))} }
	seal := func(desk *clerk, o sealer.Order) error {
		o.Places = places()
		_, err := w.local(desk).SealFile(t.Context(), "复制件.pdf", file(), o)
		return err
	}
	wants(t, seal(&clerk{}, sealer.Order{Seal: "29010000000099"}), "agent.no-seal")
	wants(t, seal(&clerk{pins: []string{""}}, sealer.Order{}), "agent.declined")
	t.Run("a wrong PIN is told, and reaches the token once", func(t *testing.T) {
		desk := &clerk{pins: []string{"000000"}}
		w.must(seal(desk, sealer.Order{}))
		if len(desk.askedPIN) != 2 || codeOf(desk.askedPIN[1].Why) != "hsm.pin-wrong" {
			t.Errorf("%+v", desk.askedPIN)
		}
	})
	t.Run("a token that is not there is asked for", func(t *testing.T) {
		w.tokens.Pull(t, 0)
		wants(t, seal(&clerk{}, sealer.Order{}), "agent.declined")
		desk := &clerk{retry: func(error) bool { w.tokens.Insert(t, 0); return true }}
		w.must(seal(desk, sealer.Order{}))
		if !slices.Equal(desk.told, []string{"hsm.token-not-found"}) {
			t.Errorf("told %v", desk.told)
		}
	})
	t.Run("the certificate has expired", func(t *testing.T) {
		w.now.move(20 * 366 * 24 * 3600e9)
		defer w.now.move(-20 * 366 * 24 * 3600e9)
		wants(t, seal(&clerk{}, sealer.Order{}), "agent.certificate-expired")
	})
	t.Run("a seal whose certificate is not there", func(t *testing.T) {
		w.token(func(token *hsm.Token) {
			list, err := token.Certificates(t.Context())
			w.must(err)
			w.must(token.RemoveCertificate(t.Context(), list[0].ID, ""))
		})
		wants(t, seal(&clerk{}, sealer.Order{}), "agent.wrong-key")
	})
}
