package manifest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/internal/fault"
	"yinxin/sealer/terminal/manifest"
)

var now = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// signer is an SM2 key in memory.
type signer struct{ key *sm2.PrivateKey }

func newSigner(t testing.TB) signer {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	must(t, err)
	return signer{key}
}

func (s signer) Public() *ecdsa.PublicKey { return &s.key.PublicKey }

func (s signer) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return s.key.Sign(rand.Reader, e[:], nil)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err error, code string) {
	t.Helper()
	if got := fault.CodeOf(err); err == nil || got != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func sample() manifest.Manifest {
	digest := strings.Repeat("0a", 32)
	return manifest.Manifest{Job: "q_1", Task: "tsk_1", Item: "itm_1", Nonce: bytes.Repeat([]byte{7}, 32), Terminal: "trm_1",
		Clerk:    manifest.Person{ID: "clerk", Name: "张三 <档案馆>"},
		Document: manifest.Document{ID: "d_1", Name: "证明.pdf", Size: 1000, SM3: digest}, Prepared: manifest.Prepared{Size: 21000, SM3: digest},
		Profile: "seal", ToBeSigned: []byte{0x30, 0}, DataHash: digest, ByteRange: "[0 1 2 3]", Field: "Seal1",
		Seal: manifest.SealOfOrder{Code: "29010000000017", Name: "云山市档案馆", SM3: digest}, Certificate: digest,
		Marks:  []manifest.Mark{{Page: 1, X: 120.004, Y: 40, Width: 42, Height: 42}},
		Origin: manifest.Origin{System: "platform", Name: "全省平台"}, Issued: now.Add(300 * time.Millisecond), Expires: now.Add(5 * time.Minute)}
}

func expected(key *ecdsa.PublicKey) manifest.Expected {
	return manifest.Expected{Key: key, Terminal: "trm_1", Clerk: "clerk", Task: "tsk_1", Item: "itm_1", Document: "d_1", Seal: "29010000000017", Now: now}
}

func TestAManifestArrivesAsItWasSigned(t *testing.T) {
	key := newSigner(t)
	e, err := manifest.Sign(t.Context(), key, sample())
	must(t, err)
	m, err := manifest.Verify(e, expected(key.Public()))
	must(t, err)
	want := sample()
	if m.Clerk != want.Clerk || m.Document != want.Document || m.Marks[0].X != 120 || !m.Issued.Equal(now) || !bytes.Equal(m.ToBeSigned, want.ToBeSigned) {
		t.Errorf("%+v", m)
	}
	if !m.Same(m) {
		t.Error("it is not the same as itself")
	}
	other := *m
	other.Nonce, other.Issued, other.DataHash = nil, now.Add(time.Hour), ""
	if !m.Same(&other) {
		t.Error("what changes with every preparation was compared")
	}
	other.Marks = []manifest.Mark{{Page: 2, X: 120, Y: 40, Width: 42, Height: 42}}
	if m.Same(&other) {
		t.Error("another place was taken for the same")
	}
}

func TestWhatIsNotExpectedIsRefused(t *testing.T) {
	key := newSigner(t)
	e, err := manifest.Sign(t.Context(), key, sample())
	must(t, err)
	for name, c := range map[string]struct {
		change func(*manifest.Expected)
		code   string
	}{
		"another key":       {func(x *manifest.Expected) { x.Key = newSigner(t).Public() }, "terminal.manifest-forged"},
		"no key":            {func(x *manifest.Expected) { x.Key = nil }, "terminal.manifest-forged"},
		"another terminal":  {func(x *manifest.Expected) { x.Terminal = "trm_2" }, "terminal.other-terminal"},
		"another clerk":     {func(x *manifest.Expected) { x.Clerk = "other" }, "terminal.other-clerk"},
		"another task":      {func(x *manifest.Expected) { x.Task = "tsk_2" }, "terminal.other-item"},
		"another item":      {func(x *manifest.Expected) { x.Item = "itm_2" }, "terminal.other-item"},
		"another document":  {func(x *manifest.Expected) { x.Document = "d_2" }, "terminal.other-document"},
		"another seal":      {func(x *manifest.Expected) { x.Seal = "29010000000018" }, "terminal.other-document"},
		"after its life":    {func(x *manifest.Expected) { x.Now = now.Add(5 * time.Minute) }, "terminal.manifest-expired"},
		"from the future":   {func(x *manifest.Expected) { x.Now = now.Add(-2*time.Minute - time.Second) }, "terminal.clock"},
		"a little too soon": {func(x *manifest.Expected) { x.Now = now.Add(-2 * time.Minute) }, ""},
		"its last moment":   {func(x *manifest.Expected) { x.Now = now.Add(5*time.Minute - time.Millisecond) }, ""},
	} {
		x := expected(key.Public())
		c.change(&x)
		_, err := manifest.Verify(e, x)
		if c.code == "" && err != nil || c.code != "" && fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The signature protects every octet, and a server that signs another form than this one is refused as well.
func TestAManifestOfAnotherFormIsRefused(t *testing.T) {
	key := newSigner(t)
	e, err := manifest.Sign(t.Context(), key, sample())
	must(t, err)
	for i := range e.Manifest {
		changed := bytes.Clone(e.Manifest)
		changed[i] ^= 1
		if _, err := manifest.Verify(manifest.Envelope{Manifest: changed, Signature: e.Signature}, expected(key.Public())); fault.CodeOf(err) != "terminal.manifest-forged" {
			t.Fatalf("octet %d: %v", i, err)
		}
	}
	text := string(e.Manifest)
	for name, changed := range map[string]string{
		"a member more":           strings.Replace(text, `{"format":1`, `{"format":1,"more":1`, 1),
		"a member twice":          strings.Replace(text, `"job":"q_1"`, `"job":"q_1","job":"q_1"`, 1),
		"a member less":           strings.Replace(text, `"field":"Seal1",`, ``, 1),
		"an empty member":         strings.Replace(text, `"Seal1"`, `""`, 1),
		"a member of other case":  strings.Replace(text, `"field"`, `"Field"`, 1),
		"white space":             text + " ",
		"more behind":             text + "{}",
		"another format":          strings.Replace(text, `"format":1`, `"format":2`, 1),
		"no marks":                text[:strings.Index(text, `"marks"`)] + `"marks":null` + text[strings.Index(text, `,"origin"`):],
		"a page 0":                strings.Replace(text, `"page":1`, `"page":0`, 1),
		"a long life":             strings.Replace(text, "08:05:00Z", "08:05:01Z", 1),
		"a life that ends before": strings.Replace(text, "08:05:00Z", "07:59:00Z", 1),
		"an offset":               strings.Replace(text, "08:05:00Z", "08:05:00+00:00", 1),
		"an upper-case digest":    strings.ReplaceAll(text, "0a0a", "0A0A"),
		"another key's name":      strings.Replace(text, manifest.Fingerprint(key.Public()), strings.Repeat("00", 32), 1),
		"control characters":      strings.Replace(text, "云山市档案馆", `\u001b[2J`, 1),
		"a prepared file smaller": strings.Replace(text, "21000", "999", 1),
		"no object":               "[]",
	} {
		if changed == text {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := manifest.Verify(signed(t, key, changed), expected(key.Public())); fault.CodeOf(err) != "terminal.manifest-forged" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := manifest.Verify(signed(t, key, text), expected(key.Public())); err != nil {
		t.Error("unchanged:", err)
	}
	for name, change := range map[string]func(*manifest.Manifest){
		"a number that is none": func(m *manifest.Manifest) { m.Marks[0].X = math.NaN() },
		"no place":              func(m *manifest.Manifest) { m.Marks[0].Width = 0 },
		"a long life":           func(m *manifest.Manifest) { m.Expires = now.Add(time.Hour) },
		"a short nonce":         func(m *manifest.Manifest) { m.Nonce = m.Nonce[:31] },
	} {
		m := sample()
		change(&m)
		if _, err := manifest.Sign(t.Context(), key, m); fault.CodeOf(err) != "terminal.manifest-forged" {
			t.Errorf("signing %s: %v", name, err)
		}
	}
}

func signed(t testing.TB, key signer, text string) manifest.Envelope {
	value, err := key.key.SignWithSM2(rand.Reader, nil, []byte(text))
	must(t, err)
	return manifest.Envelope{Manifest: []byte(text), Signature: value}
}

func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	random := bytes.NewReader(bytes.Repeat([]byte{0x00, 0x44, 0x32, 0x14, 0xc7, 0xff}, 10))
	code, err := manifest.NewCode(random)
	must(t, err)
	text := code.Text()
	if len(text) != 24 || text[:4] != code.Name() {
		t.Fatal(text)
	}
	loose := strings.NewReplacer("0", "o", "1", "l", "-", " ").Replace(strings.ToLower(text))
	wide := strings.Map(func(r rune) rune {
		if r == '-' {
			return '\u3000'
		}
		return r - '!' + '！'
	}, text)
	for _, typed := range []string{text, " " + loose + "\r\n", wide, strings.ReplaceAll(text, "-", "–"), strings.ReplaceAll(text, "1", "I")} {
		again, err := manifest.ParseCode(typed)
		if err != nil || again.Name() != code.Name() || !bytes.Equal(again.Key(), code.Key()) || again.Text() != text {
			t.Errorf("%q: %v", typed, err)
		}
	}
	for _, typed := range []string{"", text[:23], text + "0", "U" + text[1:], strings.Repeat(text, 100), "档案" + text} {
		_, err := manifest.ParseCode(typed)
		wants(t, err, "terminal.code")
	}
	if _, err := manifest.NewCode(bytes.NewReader(nil)); err == nil {
		t.Error("a code without randomness")
	}
}

func TestPairingGivesEachSideTheOthersKey(t *testing.T) {
	code, err := manifest.NewCode(rand.Reader)
	must(t, err)
	terminal, server := newSigner(t), newSigner(t)
	request, err := code.Request("二楼窗口", terminal.Public(), rand.Reader)
	must(t, err)
	kept := manifest.StoredCode(code.Name(), code.Key())
	public, err := kept.CheckRequest(request)
	must(t, err)
	if !public.Equal(terminal.Public()) {
		t.Error("another key of the terminal")
	}
	answer := kept.Answer(request, manifest.PairingAnswer{Terminal: "trm_1", Clerk: manifest.Person{ID: "clerk", Name: "张三"},
		Key: manifest.Point(server.Public()), Time: now.Add(time.Millisecond)})
	through, err := json.Marshal(answer)
	must(t, err)
	must(t, json.Unmarshal(through, &answer))
	if public, err = code.CheckAnswer(request, answer); err != nil || !public.Equal(server.Public()) {
		t.Error(err)
	}

	other, err := manifest.NewCode(rand.Reader)
	must(t, err)
	mallory := manifest.Point(newSigner(t).Public())
	for name, change := range map[string]func(*manifest.PairingRequest){
		"another key":   func(r *manifest.PairingRequest) { r.Key = mallory },
		"another name":  func(r *manifest.PairingRequest) { r.Name = "x" },
		"another nonce": func(r *manifest.PairingRequest) { r.Nonce = make([]byte, 32) },
		"another MAC":   func(r *manifest.PairingRequest) { r.MAC = make([]byte, 32) },
		"no MAC":        func(r *manifest.PairingRequest) { r.MAC = nil },
		"another code":  func(r *manifest.PairingRequest) { r.Pairing = other.Name() },
	} {
		r := request
		change(&r)
		_, err := kept.CheckRequest(r)
		if fault.CodeOf(err) != "terminal.pairing-refused" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*manifest.PairingRequest){
		"no key":         func(r *manifest.PairingRequest) { r.Key = nil },
		"no point":       func(r *manifest.PairingRequest) { r.Key = append([]byte{4}, make([]byte, 64)...) },
		"no name":        func(r *manifest.PairingRequest) { r.Name = "" },
		"a long name":    func(r *manifest.PairingRequest) { r.Name = strings.Repeat("长", 61) },
		"a name of ESC":  func(r *manifest.PairingRequest) { r.Name = "\x1b" },
		"a short nonce":  func(r *manifest.PairingRequest) { r.Nonce = nil },
		"no name of it":  func(r *manifest.PairingRequest) { r.Pairing = "" },
		"a name in code": func(r *manifest.PairingRequest) { r.Pairing = "abcd" },
	} {
		r := request
		change(&r)
		_, err := kept.CheckRequest(r)
		if fault.CodeOf(err) != "terminal.pairing-request" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*manifest.PairingAnswer){
		"another key":      func(a *manifest.PairingAnswer) { a.Key = mallory },
		"another terminal": func(a *manifest.PairingAnswer) { a.Terminal = "trm_2" },
		"another clerk":    func(a *manifest.PairingAnswer) { a.Clerk.ID = "other" },
		"another name":     func(a *manifest.PairingAnswer) { a.Clerk.Name = "李四" },
		"another time":     func(a *manifest.PairingAnswer) { a.Time = now.Add(time.Minute) },
		"the request":      func(a *manifest.PairingAnswer) { a.MAC = request.MAC },
	} {
		a := answer
		change(&a)
		_, err := code.CheckAnswer(request, a)
		if fault.CodeOf(err) != "terminal.pairing-refused" {
			t.Errorf("answer with %s: %v", name, err)
		}
	}
	again, err := code.Request("二楼窗口", terminal.Public(), rand.Reader)
	must(t, err)
	if _, err := code.CheckAnswer(again, answer); fault.CodeOf(err) != "terminal.pairing-refused" {
		t.Error("an answer to an earlier request:", err)
	}
}

func TestARequestIsOfItsTerminalAndOfNow(t *testing.T) {
	key := newSigner(t)
	header, err := manifest.Authorise(t.Context(), key, "trm_1", "POST", "/v1/terminal/tasks?wait=25", []byte("{}"), now)
	must(t, err)
	a, err := manifest.ParseAuthorisation(header)
	must(t, err)
	if a.Terminal != "trm_1" || !a.Time.Equal(now) {
		t.Errorf("%+v", a)
	}
	must(t, a.Check(key.Public(), "POST", "/v1/terminal/tasks?wait=25", []byte("{}"), now.Add(2*time.Minute)))
	must(t, a.Check(key.Public(), "POST", "/v1/terminal/tasks?wait=25", []byte("{}"), now.Add(-2*time.Minute)))
	wants(t, a.Check(key.Public(), "POST", "/v1/terminal/tasks?wait=25", []byte("{}"), now.Add(2*time.Minute+time.Second)), "terminal.clock")
	wants(t, a.Check(key.Public(), "POST", "/v1/terminal/tasks?wait=25", []byte("{}"), now.Add(-2*time.Minute-time.Second)), "terminal.clock")
	wants(t, a.Check(key.Public(), "GET", "/v1/terminal/tasks?wait=25", []byte("{}"), now), "terminal.unauthenticated")
	wants(t, a.Check(key.Public(), "POST", "/v1/terminal/tasks?wait=2", []byte("{}"), now), "terminal.unauthenticated")
	wants(t, a.Check(key.Public(), "POST", "/v1/terminal/tasks?wait=25", []byte("{} "), now), "terminal.unauthenticated")
	wants(t, a.Check(newSigner(t).Public(), "POST", "/v1/terminal/tasks?wait=25", []byte("{}"), now), "terminal.unauthenticated")
	for _, changed := range []string{"", "Bearer x", manifest.Scheme, header + ",id=trm_1", strings.Replace(header, "trm_1", "", 1), header + "=",
		strings.Replace(header, "time=2026", "time=", 1), strings.Replace(header, ",signature", ",sign", 1), header + ",more=1", header + strings.Repeat("A", 2000)} {
		_, err := manifest.ParseAuthorisation(changed)
		wants(t, err, "terminal.unauthenticated")
	}
	later, err := manifest.ParseAuthorisation(strings.Replace(header, "08:00:00Z", "08:00:01Z", 1))
	must(t, err)
	wants(t, later.Check(key.Public(), "POST", "/v1/terminal/tasks?wait=25", []byte("{}"), now), "terminal.unauthenticated")
	other, err := manifest.ParseAuthorisation(strings.Replace(header, "trm_1", "trm_2", 1))
	must(t, err)
	wants(t, other.Check(key.Public(), "POST", "/v1/terminal/tasks?wait=25", []byte("{}"), now), "terminal.unauthenticated")
}

func FuzzVerify(f *testing.F) {
	key := newSigner(f)
	e, err := manifest.Sign(context.Background(), key, sample())
	must(f, err)
	f.Add(e.Manifest)
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, octets []byte) {
		if len(octets) == 0 {
			return // gmsm signs no empty message
		}
		m, err := manifest.Verify(signed(t, key, string(octets)), expected(key.Public()))
		if err == nil {
			if again, err := json.Marshal(m); err != nil || !bytes.Equal(again, octets) {
				t.Errorf("two forms of one manifest: %q", octets)
			}
		} else if !strings.HasPrefix(fault.CodeOf(err), "terminal.") {
			t.Error(err)
		}
	})
}

func FuzzCode(f *testing.F) {
	f.Add("7k2m-oooo-llll-1234-abcd")
	f.Add("　ＡＢ")
	f.Fuzz(func(t *testing.T, typed string) {
		if c, err := manifest.ParseCode(typed); err == nil {
			if again, err := manifest.ParseCode(c.Text()); err != nil || !bytes.Equal(again.Key(), c.Key()) {
				t.Errorf("%q", typed)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	key := newSigner(b)
	m := sample()
	m.ToBeSigned = make([]byte, 20_000)
	e, err := manifest.Sign(b.Context(), key, m)
	must(b, err)
	b.Run("manifest", func(b *testing.B) {
		for b.Loop() {
			_, err := manifest.Verify(e, expected(key.Public()))
			must(b, err)
		}
	})
	b.Run("floor", func(b *testing.B) { // the signature alone
		for b.Loop() {
			if !sm2.VerifyASN1WithSM2(key.Public(), nil, e.Manifest, e.Signature) {
				b.Fatal("not verified")
			}
		}
	})
}
