package command

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/api"
	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/workday"
	"yinxin/ca/escrow"
	"yinxin/ca/renewal"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/jobs"
	"yinxin/internal/ledger"
	"yinxin/internal/login"
	"yinxin/internal/mail"
	"yinxin/internal/release"
	"yinxin/internal/store"
	"yinxin/internal/truetype"
	"yinxin/internal/webhook"
	"yinxin/keystore"
	"yinxin/sealer"
	bulk "yinxin/sealer/batch"
	"yinxin/sealer/intake"
	"yinxin/sealer/issuance"
	"yinxin/sealer/register"
	"yinxin/sealer/registration"
	"yinxin/sealer/terminal"
	"yinxin/sealer/view"
)

// The files of a data directory.
const (
	configName     = "config.json"
	databaseName   = "yinxin.db"
	keysName       = "keys"
	rootKeysName   = "root-keys" // may be taken offline once the installation stands
	filesName      = "files"
	trustName      = "trust" // anchors and CRLs for yinxin verify --trust
	passphraseName = "passphrase"
	viewCacheName  = "cache/pages" // may be deleted at any time
)

// dataFlags are the flags of every command that opens a data directory with its keys.
type dataFlags struct {
	Data           string `help:"Data directory." placeholder:"DIR"`
	Database       string `help:"Database instead of the recorded one: a file, or postgres://…" placeholder:"URL" env:"YINXIN_DATABASE"`
	PassphraseFile string `name:"passphrase-file" help:"File with the keystore's passphrase (default: YINXIN_PASSPHRASE, or the file recorded in the data directory)." placeholder:"FILE"`
}

// config is config.json: what an installation is, not its secrets.
type config struct {
	Format   int    `json:"format"`
	Name     string `json:"name"`
	Database string `json:"database"` // a file name in the folder, or a URL without password
	BaseURL  string `json:"base_url"` // under which certificates, CRLs and OCSP are published
	// CRLShards is into how many parts the revocation list of an issuing CA is cut; 0 leaves it to the service.
	CRLShards      int    `json:"crl_shards,omitempty"`
	LedgerKey      []byte `json:"ledger_key"`
	Operator       string `json:"operator,omitempty"`        // actor for commands on this machine
	PassphraseFile string `json:"passphrase_file,omitempty"` // in the folder, or absolute
	// TimeStamps is the address of a foreign time-stamp authority; empty: the installation's own.
	TimeStamps string `json:"time_stamps,omitempty"`
	// TimeStampRoots are files, in the folder or absolute, with certificates that are trusted for time stamps only.
	TimeStampRoots []string `json:"time_stamp_roots,omitempty"`
	// Clock says what the clock is held against before a time stamp is signed.
	Clock clockConfig `json:"clock,omitzero"`
	// Limits are how often one address may ask for OCSP answers, time stamps and lists.
	Limits api.Limits `json:"limits,omitzero"`
	// Intake says what is refused and what is only said of documents that are to be sealed; see docs/formats.md.
	Intake intake.Policy `json:"intake,omitempty"`
	// Mail is how reminders and alarms are sent; absent: not at all.
	Mail *mail.Config `json:"mail,omitempty"`
	// Webhooks says where programs may be told of what happened.
	Webhooks webhookConfig `json:"webhooks,omitzero"`
	// Renewals says how long before its end a certificate is renewed, or its holder reminded.
	Renewals renewal.Policy `json:"renewals,omitzero"`
	// Authorities are those outside of this installation from which certificates are ordered; paths may be in the folder.
	Authorities []backend.Setting `json:"authorities,omitempty"`
	// Registration are the terms and calendar of applications.
	Registration registrationConfig `json:"registration,omitzero"`
	// Issuance says how copies are issued for people who stand elsewhere.
	Issuance issuanceConfig `json:"issuance,omitzero"`
	// TaskHours is how long a task waits for its clerk, in hours; 0 is a day.
	TaskHours int `json:"task_hours,omitempty"`
	// Tokens are the HSMs on which keys live.
	Tokens []tokenSetting `json:"tokens,omitempty"`
	// Listeners are the addresses on which serve listens; empty: one, without a label.
	Listeners []listenerSetting `json:"listeners,omitempty"`
	// Login says how people sign in beside their passwords.
	Login loginConfig `json:"login,omitzero"`
	// Secure says that browsers reach the service by https through a proxy although a listener is plain.
	Secure bool `json:"secure,omitempty"`
	// Agents is a folder, in the data folder or absolute, with the programs for terminals that clerks download, as make
	// agents leaves them; empty: agents beside the program.
	Agents string `json:"agents,omitempty"`
	// MinimumAgent is the oldest version of the agent (v1.2.0) that nobody at a terminal is advised to update; empty: any.
	MinimumAgent string `json:"minimum_agent,omitempty"`
	// KeepPDFA refuses to seal a document so that it is no longer the PDF/A that it claims to be.
	KeepPDFA bool `json:"keep_pdfa,omitempty"`
}

const configFormat = 1

func readConfig(dir string) (config, error) {
	var c config
	b, err := os.ReadFile(filepath.Join(dir, configName))
	if errors.Is(err, fs.ErrNotExist) {
		return c, errNotData.At(fault.File(dir))
	}
	if err != nil {
		return c, err
	}
	err = json.Unmarshal(b, &c)
	if f, ok := fault.Of(err); ok { // a policy that says what no policy can say
		return c, f.With("%s", strings.TrimLeft(f.Place.Field+" "+f.Detail(), " ")).At(fault.File(filepath.Join(dir, configName)))
	}
	if err != nil || c.Format != configFormat || c.TaskHours < 0 || c.TaskHours > 24*366 {
		return c, errNotData.At(fault.File(filepath.Join(dir, configName))).Because(err)
	}
	if c.MinimumAgent != "" && !release.IsVersion(c.MinimumAgent) {
		return c, errNotData.At(fault.File(filepath.Join(dir, configName))).With("minimum_agent %.64q", c.MinimumAgent)
	}
	return c, nil
}

func (c config) write(ctx context.Context, dir string) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return writeBytes(ctx, filepath.Join(dir, configName), 0o600, append(b, '\n'))
}

// ledgerKey is the public key under which the checkpoints of the ledger are signed.
func (c config) ledgerKey() (*ecdsa.PublicKey, error) {
	k, err := smx509.ParsePKIXPublicKey(c.LedgerKey)
	if err != nil {
		return nil, errNotData.With("ledger_key").Because(err)
	}
	public, ok := k.(*ecdsa.PublicKey)
	if !ok {
		return nil, errNotData.With("ledger_key")
	}
	return public, nil
}

func (c config) databaseURL(dir, override string) string {
	url := c.Database
	if override != "" {
		return override
	}
	if strings.Contains(url, "://") || filepath.IsAbs(url) {
		return url
	}
	return filepath.Join(dir, url)
}

// installation is an opened data directory with every room wired. For reading, keys, ledger and sealer are absent.
type installation struct {
	dir       string
	config    config
	now       func() time.Time
	db        *store.DB
	keys      *keystore.Store
	devices   devices
	ledger    *ledger.Ledger
	access    *access.Service
	login     *login.Service
	register  *register.Register
	authority *ca.Authority
	files     files.Store
	sealer    *sealer.Service
	jobs      *jobs.Jobs // these three where background work is
	batches   *bulk.Service
	webhooks  *webhook.Service
	secrets   webhook.Secrets
	terminals *terminal.Service
	viewer    *view.Viewer
	escrow    *escrow.Centre
	enroll    *enroll.Service
	business  *business.Service
	desk      *registration.Desk
	issuance  *issuance.Service
	calendar  *workday.Calendar
	anchors   atomic.Pointer[chain.Anchors] // in force now
}

func (h *installation) close() error {
	if h.viewer != nil {
		h.viewer.Close()
	}
	return errors.Join(h.devices.close(), h.db.Close())
}

// openDatabase opens the database of a data directory and brings its tables up to date.
func openDatabase(ctx context.Context, url string) (*store.DB, error) {
	db, err := store.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	for _, migrate := range []func(context.Context, *store.DB) error{ledger.Migrate, access.Migrate, ca.Migrate, backend.Migrate, register.Migrate, sealer.Migrate, bulk.Migrate, terminal.Migrate,
		jobs.Migrate, webhook.Migrate, login.Migrate, mail.Migrate, renewal.Migrate, escrow.Migrate, enroll.Migrate, business.Migrate, issuance.Migrate} {
		if err := migrate(ctx, db); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// openForReading opens what verifying needs: no passphrase, no keys.
func openForReading(ctx context.Context, dir, database string, now func() time.Time) (*installation, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	h := &installation{dir: dir, config: c, now: now}
	if h.db, err = openDatabase(ctx, c.databaseURL(dir, database)); err != nil {
		return nil, err
	}
	h.access = access.New(h.db, nil, now) // to read; without a ledger nothing can be asked or decided
	if h.authority, err = ca.Open(ctx, ca.Config{DB: h.db, Clock: now, BaseURL: c.BaseURL, Shards: c.CRLShards}); err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.register = register.New(register.Config{DB: h.db, Clock: now, Certificates: backend.Standing(h.authority)})
	return h, nil
}

// openInstallation opens everything.
func openInstallation(ctx context.Context, f dataFlags, now func() time.Time) (*installation, error) {
	if f.Data == "" {
		return nil, errMissing.At(fault.Field("--data"))
	}
	c, err := readConfig(f.Data)
	if err != nil {
		return nil, err
	}
	passphrase, err := findPassphrase(f, c)
	if err != nil {
		return nil, err
	}
	keys, err := keystore.Open(filepath.Join(f.Data, keysName), keystore.Options{Passphrase: passphrase})
	if err != nil {
		return nil, err
	}
	db, err := openDatabase(ctx, c.databaseURL(f.Data, f.Database))
	if err != nil {
		return nil, err
	}
	h := &installation{dir: f.Data, config: c, now: now, db: db, keys: keys}
	if err := h.wire(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// openAs opens everything for an actor; the empty one is the recorded operator.
func openAs(ctx context.Context, f dataFlags, as string, now func() time.Time) (*installation, access.Actor, error) {
	h, err := openInstallation(ctx, f, now)
	if err != nil {
		return nil, access.Actor{}, err
	}
	actor, err := h.operator(ctx, as)
	if err != nil {
		return nil, actor, errors.Join(err, h.close())
	}
	return h, actor, nil
}

func findPassphrase(f dataFlags, c config) ([]byte, error) {
	if f.PassphraseFile != "" {
		return keystore.ReadPassphraseFile(f.PassphraseFile)
	}
	if os.Getenv(keystore.PassphraseVariable) != "" || c.PassphraseFile == "" {
		return keystore.PassphraseFromEnvironment()
	}
	name := c.PassphraseFile
	if !filepath.IsAbs(name) {
		name = filepath.Join(f.Data, name)
	}
	return keystore.ReadPassphraseFile(name)
}

// wire puts the rooms together over an opened database and keystore, and picks up what a crash left open.
func (h *installation) wire(ctx context.Context) error {
	if err := h.attachTokens(); err != nil {
		return err
	}
	ledgerKey, err := h.keys.Ring(keystore.PurposeLedger).Get(ctx, "ledger")
	if err != nil {
		return err
	}
	h.ledger = ledger.New(h.db, ledgerKey, h.now)
	h.access = access.New(h.db, h.ledger, h.now)
	h.login = login.New(login.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Clock: h.now})
	if h.files, err = files.OpenFolder(filepath.Join(h.dir, filesName)); err != nil {
		return err
	}
	stamping, err := h.config.Clock.stamping(h.dir, h.db, h.now)
	if err != nil {
		return err
	}
	h.authority, err = ca.Open(ctx, ca.Config{DB: h.db, Ledger: h.ledger, Clock: h.now, BaseURL: h.config.BaseURL, Shards: h.config.CRLShards, Stamping: stamping,
		RecoveryAge: time.Minute,
		Keys:        h.keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeTSA)})
	if err != nil {
		return err
	}
	maker, err := h.maker(ctx)
	if err != nil {
		return err
	}
	h.register = register.New(register.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Maker: maker, Clock: h.now, Certificates: backend.Standing(h.authority)})
	if err := h.wireRegistration(ctx); err != nil {
		return err
	}
	trusted, err := h.chain(ctx)
	if err != nil {
		return err
	}
	// A missing font is no reason not to start: orders with text lines are then refused.
	font, _ := truetype.Find()
	var fonts []string
	if font != "" {
		fonts = append(fonts, font)
	}
	if h.viewer, err = newViewer(h.dir, fonts, runtime.NumCPU(), false); err != nil {
		return err
	}
	c := sealer.Config{DB: h.db, Files: h.files, Ledger: h.ledger, Register: h.register, Chain: trusted, Clock: h.now,
		Keys: h.keys.Ring(keystore.PurposeSealing), TimeStamps: h.authority, Evidence: evidence{own: h.authority}, Viewer: h.viewer, Font: font,
		Intake: h.config.Intake, KeepPDFA: h.config.KeepPDFA}
	if h.config.TimeStamps != "" {
		c.TimeStamps = foreignStamps(h.config.TimeStamps)
	}
	h.sealer = sealer.New(c)
	if _, err = h.sealer.Recover(ctx); err != nil {
		return err
	}
	if err := h.wireTerminals(ctx); err != nil {
		return err
	}
	h.wireIssuance(h.enroll.Safe, h.calendar, font)
	return h.wireSecrets(ctx)
}

// wireTerminals opens the room of terminals; an installation from before it gets its first key for manifests here.
func (h *installation) wireTerminals(ctx context.Context) error {
	ring := h.keys.Ring(keystore.PurposeManifest)
	if err := terminal.EnsureKey(ctx, ring); err != nil {
		return err
	}
	h.terminals = terminal.New(terminal.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Sealer: h.sealer, Keys: ring, Clock: h.now, Random: rand.Reader,
		Logins: h.login, Name: h.config.Name, TaskLife: time.Duration(h.config.TaskHours) * time.Hour, MinimumAgent: h.config.MinimumAgent})
	return nil
}

// chain trusts the installation's own CA, with live revocation, and what was imported; refreshAnchors keeps it up to date.
func (h *installation) chain(ctx context.Context) (*chain.Verifier, error) {
	if err := h.refreshAnchors(ctx); err != nil {
		return nil, err
	}
	return &chain.Verifier{Current: h.anchors.Load, Revocation: h.authority}, nil
}

// refreshAnchors takes up anchors that were imported or removed meanwhile, perhaps by another process.
func (h *installation) refreshAnchors(ctx context.Context) error {
	anchors, err := h.authority.Anchors(ctx)
	if err != nil {
		return err
	}
	for _, name := range h.config.TimeStampRoots {
		if !filepath.IsAbs(name) {
			name = filepath.Join(h.dir, name)
		}
		b, err := readSmall(name)
		if err != nil {
			return err
		}
		c, err := chain.ParseCertificate(pemOrDER(b, "CERTIFICATE"))
		if err != nil {
			return at(err, name)
		}
		if !anchors.Contains(c) {
			anchors = anchors.And(chain.NewAnchors(c).Limited(c, chain.Limit{Usages: []chain.Usage{chain.UsageTimeStamp}}))
		}
	}
	h.anchors.Store(anchors)
	return nil
}

// operator is the actor for whom a command on this machine acts: whoever can open the keystore is trusted to say who.
func (h *installation) operator(ctx context.Context, id string) (access.Actor, error) {
	if id == "" {
		id = h.config.Operator
	}
	if id == "" {
		return access.Actor{}, errFlag.At(fault.Field("--as")).Saying("数据目录中没有登记用印员", "no operator is recorded in the data directory")
	}
	return h.access.Actor(ctx, id)
}
