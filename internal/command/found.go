package command

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca"
	"yinxin/ca/ceremony"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/keystore"
	"yinxin/sealer/register"
)

// founding is what a new installation is made from.
type founding struct {
	dir                        string
	name                       string // of the installation
	plan                       ceremony.Plan
	confirmed                  [2]time.Time // when registrar and approver confirmed the plan
	database                   string
	registration               registrationConfig
	passphrase, rootPassphrase []byte
	// handOut gives the shares of the root's keystore to their holders, for a plan that splits it.
	handOut        func(ctx context.Context, shares []keystore.Share) error
	iterations     int // of the keystores; 0 is their default
	passphraseFile string
	now            func() time.Time
}

// officers are the first people of an installation.
type officers struct{ registrar, approver, administrator access.Actor }

// found makes a data directory in an empty folder: keystores, database, people, and the CA in a ceremony of the two
// officers. The founding is left open; whoever called closes it (access.CloseFounding) after adding more people.
func (f founding) found(ctx context.Context) (_ *installation, _ officers, err error) {
	keys, err := keystore.Create(filepath.Join(f.dir, keysName), keystore.Options{Passphrase: f.passphrase, Iterations: f.iterations})
	if err != nil {
		return nil, officers{}, err
	}
	rootKeys, discard, err := f.rootKeystore()
	if err != nil {
		return nil, officers{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, discard())
		}
	}()
	ledgerKey, err := keys.Ring(keystore.PurposeLedger).Generate(ctx, "ledger", keystore.PurposeLedger)
	if err != nil {
		return nil, officers{}, err
	}
	public, err := smx509.MarshalPKIXPublicKey(ledgerKey.Public())
	if err != nil {
		return nil, officers{}, err
	}
	c := config{Format: configFormat, Name: f.name, Database: f.database, Registration: f.registration, BaseURL: f.plan.BaseURL, CRLShards: f.plan.CRLShards,
		LedgerKey: public, PassphraseFile: f.passphraseFile}
	db, err := openDatabase(ctx, c.databaseURL(f.dir, ""))
	if err != nil {
		return nil, officers{}, err
	}
	h := &installation{dir: f.dir, config: c, now: f.now, db: db, keys: keys, ledger: ledger.New(db, ledgerKey, f.now)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	h.access = access.New(db, h.ledger, f.now)
	people, err := f.people(ctx, h.access)
	if err != nil {
		return nil, officers{}, err
	}
	if err := f.hold(ctx, h, people, rootKeys); err != nil {
		return nil, officers{}, err
	}
	if err := h.wire(ctx); err != nil {
		return nil, officers{}, err
	}
	if err := h.publish(ctx); err != nil {
		return nil, officers{}, err
	}
	return h, people, c.write(ctx, f.dir)
}

func (f founding) people(ctx context.Context, s *access.Service) (officers, error) {
	var o officers
	for _, p := range []struct {
		to     *access.Actor
		person ceremony.Person
		role   access.Role
	}{{&o.registrar, f.plan.Officers.Registrar, access.RoleRegistrar}, {&o.approver, f.plan.Officers.Approver, access.RoleApprover},
		{&o.administrator, f.plan.Officers.Administrator, access.RoleAdministrator}} {
		a, err := s.CreateActor(ctx, access.Actor{ID: p.person.ID, Name: p.person.Name, Organisation: f.plan.Organisation, Roles: []access.Role{p.role}})
		if err != nil {
			return officers{}, err
		}
		*p.to = a
	}
	return o, nil
}

// agree has one officer ask and the other approve: what every certificate, seal and grant needs.
func (o officers) agree(ctx context.Context, s *access.Service, kind access.Kind, subject []byte) (approvalID string, err error) {
	id, err := s.Request(ctx, o.registrar, kind, subject)
	if err != nil {
		return "", err
	}
	return id, s.Approve(ctx, o.approver, id)
}

// maker is the seal maker of the installation.
func (h *installation) maker(ctx context.Context) (register.Maker, error) {
	certificate, err := h.authority.Current(ctx, ca.ProfileSealMaker)
	if err != nil {
		return register.Maker{}, err
	}
	key, err := h.keys.Ring(keystore.PurposeSealMaker).Get(ctx, ca.KeySealMaker)
	if err != nil {
		return register.Maker{}, err
	}
	return register.Maker{Certificate: certificate.Raw, Key: key, VendorID: "yinxin"}, nil
}

// publish writes the anchors and the current CRLs into the trust folder, for yinxin verify --trust and for other
// programs, where they differ from what is there.
func (h *installation) publish(ctx context.Context) error {
	root, err := h.authority.RootCRL(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(h.dir, trustName)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ledgerKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: h.config.LedgerKey})
	files := map[string][]byte{"root.crt": certificatePEM(h.authority.Root().Raw), "root.crl": root, "ledger.pub": ledgerKey}
	for _, i := range h.authority.Issuers() {
		files[i.ID+".crt"] = certificatePEM(i.Certificate.Raw)
		if files[i.ID+".crl"], err = h.authority.CRL(ctx, i.ID); err != nil {
			return err
		}
	}
	for name, content := range files {
		name = filepath.Join(dir, name)
		if old, err := os.ReadFile(name); err == nil && string(old) == string(content) {
			continue
		}
		if err := writeBytes(ctx, name, 0o644, content); err != nil {
			return err
		}
	}
	return nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// atomicFolder has a folder built beside its place and moves it there when it is complete. Anything that is in the way
// is refused with data.exists; an interrupted build leaves nothing.
func atomicFolder(dir string, build func(making string) error) (err error) {
	if err := emptyOrAbsent(dir); err != nil {
		return err
	}
	dir = filepath.Clean(dir)
	making := dir + ".making"
	if err := os.RemoveAll(making); err != nil {
		return err
	}
	if err := os.MkdirAll(making, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(making))
		}
	}()
	if err := build(making); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("making room for the new folder: %w", err)
	}
	return os.Rename(making, dir)
}

func emptyOrAbsent(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		return errDataExists.At(fault.File(dir))
	}
	return err
}
