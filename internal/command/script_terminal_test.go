package command

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/rogpeppe/go-internal/testscript"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/keystore"
	"yinxin/sealer/register"
	"yinxin/sealer/terminal/manifest"
)

// usbkey DIR CLERK SEAL KEYS gives a clerk an instance of a seal on a key of their own, which lies in the keystore KEYS, with its
// certificate beside it.
func scriptUSBKey(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	h, err := openInstallation(ctx, dataFlags{Data: ts.MkAbs(args[0])}, time.Now)
	ts.Check(err)
	defer h.close()
	keys, err := keystore.Create(ts.MkAbs(args[3]), keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000})
	ts.Check(err)
	key, err := keys.Ring(keystore.PurposeSealing).Generate(ctx, "usb", keystore.PurposeSealing)
	ts.Check(err)
	var o officers
	o.registrar, err = h.access.Actor(ctx, "registrar")
	ts.Check(err)
	o.approver, err = h.access.Actor(ctx, "approver")
	ts.Check(err)
	clerk, err := h.access.Actor(ctx, args[1])
	ts.Check(err)
	central, err := h.register.Authorise(ctx, clerk, args[2])
	ts.Check(err)
	r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), SealCode: args[2]}
	ts.Check(h.db.Read().QueryRowContext(ctx, `SELECT organisation, credit_code FROM seal WHERE code = $1`, args[2]).Scan(&r.Organisation, &r.CreditCode))
	agreed, err := o.agree(ctx, h.access, access.KindIssueCertificate, r.Subject())
	ts.Check(err)
	certificate, err := h.authority.Issue(ctx, agreed, r)
	ts.Check(err)
	order := register.Order{Code: args[2], Name: central.SealName, Organisation: r.Organisation, CreditCode: r.CreditCode, Type: 1, Width: central.Width, Height: central.Height,
		Template: central.Picture, Picture: central.Picture, Custody: register.UserKey, Holder: clerk.ID, Certificate: certificate.Raw}
	agreed, err = o.agree(ctx, h.access, access.KindMakeSeal, order.Subject())
	ts.Check(err)
	_, err = h.register.Make(ctx, agreed, order)
	ts.Check(err)
	ts.Check(writeBytes(ctx, ts.MkAbs(args[3])+".crt", 0o644, certificate.Raw))
	// Signing times have whole seconds: nothing is in force before its first one.
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
}

// terminal URL CODE KEYS [decline] pairs a terminal with the code in a file, and seals, or declines, everything that waits there, with the
// key that usbkey made. Then it ends the pairing.
func scriptTerminal(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	keys, err := keystore.Open(ts.MkAbs(args[2]), keystore.Options{Passphrase: []byte("only a test")})
	ts.Check(err)
	usb, err := keys.Ring(keystore.PurposeSealing).Get(ctx, "usb")
	ts.Check(err)
	b := &scriptBox{ts: ts, url: args[0]}
	b.key, err = sm2.GenerateKey(rand.Reader)
	ts.Check(err)
	typed, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	code, err := manifest.ParseCode(typed)
	ts.Check(err)
	request, err := code.Request("窗口", b.Public(), rand.Reader)
	ts.Check(err)
	var answer manifest.PairingAnswer
	b.send(http.MethodPost, manifest.RoutePair, request, &answer)
	pinned, err := code.CheckAnswer(request, answer)
	ts.Check(err)
	b.id = answer.Terminal
	var list manifest.Tasks
	b.send(http.MethodGet, manifest.RouteTasks, nil, &list)
	for _, task := range list.Tasks {
		var claim manifest.Claim
		b.send(http.MethodPost, b.route(manifest.RouteClaim, task.ID, ""), nil, &claim)
		for _, item := range claim.Items {
			if len(args) > 3 {
				b.send(http.MethodPost, b.route(manifest.RouteDecline, task.ID, item.ID), manifest.Decline{Reason: manifest.ReasonDeclined}, nil)
				continue
			}
			var e manifest.Envelope
			b.send(http.MethodPost, b.route(manifest.RoutePrepare, task.ID, item.ID), nil, &e)
			m, err := manifest.Verify(e, manifest.Expected{Key: pinned, Terminal: b.id, Clerk: answer.Clerk.ID, Task: task.ID, Item: item.ID,
				Document: item.Document.ID, Seal: item.Seal, Now: time.Now()})
			ts.Check(err)
			digest, err := keystore.Digest(usb.Public(), m.ToBeSigned)
			ts.Check(err)
			value, err := usb.SignDigest(ctx, digest)
			ts.Check(err)
			b.send(http.MethodPost, strings.Replace(manifest.RouteComplete, "{job}", m.Job, 1),
				manifest.Completion{Job: m.Job, Nonce: m.Nonce, Signature: value, Certificate: []byte(ts.ReadFile(args[2] + ".crt"))}, nil)
		}
	}
	b.send(http.MethodDelete, manifest.RouteSelf, nil, nil)
}

// scriptBox is a terminal of a script.
type scriptBox struct {
	ts      *testscript.TestScript
	url, id string
	key     *sm2.PrivateKey
}

func (b *scriptBox) Public() *ecdsa.PublicKey { return &b.key.PublicKey }

func (b *scriptBox) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return b.key.Sign(rand.Reader, e[:], nil)
}

func (b *scriptBox) route(pattern, task, item string) string {
	return strings.NewReplacer("{task}", task, "{item}", item).Replace(pattern)
}

func (b *scriptBox) send(method, target string, body, into any) {
	var octets []byte
	var err error
	if body != nil {
		octets, err = json.Marshal(body)
		b.ts.Check(err)
	}
	r, err := http.NewRequest(method, b.url+target, bytes.NewReader(octets))
	b.ts.Check(err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if b.id != "" {
		header, err := manifest.Authorise(context.Background(), b, b.id, method, target, octets, time.Now())
		b.ts.Check(err)
		r.Header.Set("Authorization", header)
	}
	answer, err := http.DefaultClient.Do(r)
	b.ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	b.ts.Check(err)
	if answer.StatusCode >= 300 {
		b.ts.Fatalf("%s %s: %d %s", method, target, answer.StatusCode, text)
	}
	if into != nil {
		b.ts.Check(json.Unmarshal(text, into))
	}
}
