package command

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca"
	"yinxin/ca/ceremony"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// ceremonyName is the folder of the transcript in a data directory.
const ceremonyName = "ceremony"

// The files of the transcript.
const (
	transcriptJSON     = "transcript.json"
	transcriptMarkdown = "transcript.md"
)

// rootKeystore makes the root's keystore where the plan wants it, and gives what undoes that. Under shares it has a
// passphrase that nobody knows until it is split.
func (f founding) rootKeystore() (*keystore.Store, func() error, error) {
	dir := f.plan.Root.Keys
	if !filepath.IsAbs(dir) {
		first, _, _ := strings.Cut(filepath.ToSlash(filepath.Clean(dir)), "/")
		if slices.Contains([]string{".", keysName, filesName, trustName, databaseName, configName, ceremonyName, passphraseName, "cache", "scratch"}, first) {
			return nil, nil, errFlag.With("%s", dir).At(fault.Field("root.keys"))
		}
		dir = filepath.Join(f.dir, dir)
	}
	if err := emptyOrAbsent(dir); err != nil {
		return nil, nil, err
	}
	o := keystore.Options{Passphrase: f.rootPassphrase, Iterations: f.iterations}
	if f.plan.Root.Shares != nil {
		o.Passphrase, o.Iterations = []byte(rand.Text()), 1
	}
	s, err := keystore.Create(dir, o)
	if err != nil {
		return nil, nil, err
	}
	return s, func() error { return os.RemoveAll(dir) }, nil
}

// hold holds the ceremony of the plan and leaves its transcript.
func (f founding) hold(ctx context.Context, h *installation, people officers, rootKeys *keystore.Store) error {
	t := ceremony.New(f.plan, toolVersion(), f.now())
	for i, o := range []ceremony.Person{f.plan.Officers.Registrar, f.plan.Officers.Approver} {
		t.Officers = append(t.Officers, ceremony.Attendant{ID: o.ID, Name: o.Name, Confirmed: f.confirmed[i].UTC()})
	}
	t.Did(f.now(), "建立密钥库 keystores made: %s, %s", keysName, f.plan.Root.Keys)
	made, err := ca.Establish(ctx, ca.Ceremony{DB: h.db, Ledger: h.ledger, Clock: f.now, Root: rootKeys.Ring(keystore.PurposeRoot),
		Keys:     h.keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA),
		Officers: [2]string{people.registrar.ID, people.approver.ID}, Organisation: f.plan.Organisation, BaseURL: f.plan.BaseURL,
		RootName: f.plan.Root.Name, RootYears: f.plan.Root.Years, Issuing: f.plan.Issuing.CAs(),
		PlanDigest: f.plan.Digest()})
	if err != nil {
		return err
	}
	t.Did(f.now(), "生成密钥，签发根证书、签发证书、OCSP、制章者、时间戳证书及根撤销列表 keys, certificates and the root CRL made")
	t.Made(string(ca.ProfileRoot), made.Root)
	for _, i := range made.Issuing {
		t.Made(nameOfMember(ca.ProfileIssuing, i.ID), i.Certificate)
		t.Made(nameOfMember(ca.ProfileOCSP, i.ID), i.OCSP)
	}
	t.Made(string(ca.ProfileSealMaker), made.SealMaker)
	t.Made(string(ca.ProfileTSA), made.TSA)
	sum := sm3.Sum(made.RootCRL)
	t.RootCRLSM3 = hex.EncodeToString(sum[:])
	if s := f.plan.Root.Shares; s != nil {
		t.Shares = &ceremony.SharesMade{Threshold: s.Threshold, Count: s.Count}
		err := rootKeys.Split(s.Threshold, s.Count, keyFingerprint(made.Root), func(shares []keystore.Share) error {
			t.Shares.Split = shares[0].Set()
			return f.handOut(ctx, shares)
		})
		if err != nil {
			return err
		}
		t.Did(f.now(), "根密钥库改由 %d 份中任意 %d 份打开，份额已交付 the root's keystore split, %d shares handed out, any %d open it", s.Count, s.Threshold, s.Count, s.Threshold)
	}
	key, err := h.config.ledgerKey()
	if err != nil {
		return err
	}
	if t.LedgerKey, err = ledger.Origin(key); err != nil {
		return err
	}
	return h.keepTranscript(ctx, t, people)
}

// keepTranscript writes the transcript and puts the digest of its JSON into the ledger.
func (h *installation) keepTranscript(ctx context.Context, t *ceremony.Transcript, people officers) error {
	text, err := t.JSON()
	if err != nil {
		return err
	}
	page, err := t.Markdown()
	if err != nil {
		return err
	}
	dir := filepath.Join(h.dir, ceremonyName)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeBytes(ctx, filepath.Join(dir, transcriptJSON), 0o644, text); err != nil {
		return err
	}
	if err := writeBytes(ctx, filepath.Join(dir, transcriptMarkdown), 0o644, []byte(page)); err != nil {
		return err
	}
	sum := sm3.Sum(text)
	return h.db.Write(ctx, func(tx *store.Tx) error {
		_, err := h.ledger.Append(ctx, tx, ledger.Event{Kind: "ceremony.transcript", Actor: people.registrar.ID,
			Data: map[string]string{"sm3": hex.EncodeToString(sum[:]), "plan": t.PlanSM3}})
		return err
	})
}

// toolVersion is the version of this program as the build recorded it.
func toolVersion() string {
	version := "yinxin"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	if v := info.Main.Version; v != "" {
		version += " " + v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(version, s.Value[:min(12, len(s.Value))]) {
			version += " " + s.Value
		}
	}
	return version + " " + info.GoVersion
}
