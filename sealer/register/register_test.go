package register_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"image"
	"image/png"
	"math"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
	"yinxin/sealer/register"
	"yinxin/sealer/ses"
)

const code = "29010000000017"

// house is the register over a fresh database with two officers and an operator.
type house struct {
	t                             *testing.T
	db                            *store.DB
	now                           time.Time
	access                        *access.Service
	register                      *register.Register
	requester, approver, operator access.Actor
	maker, holder                 []byte // certificates
}

func newHouse(t *testing.T, db *store.DB) *house {
	t.Helper()
	ctx := t.Context()
	h := &house{t: t, db: db, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	storetest.Migrate(t, db, ledger.Migrate, access.Migrate, register.Migrate)
	keys, err := keystore.Create(t.TempDir()+"/keys", keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000})
	must(t, err)
	ring := keys.Ring(keystore.PurposeLedger, keystore.PurposeSealMaker)
	ledgerKey, err := ring.Generate(ctx, "ledger", keystore.PurposeLedger)
	must(t, err)
	makerKey, err := ring.Generate(ctx, "seal-maker", keystore.PurposeSealMaker)
	must(t, err)
	l := ledger.New(db, ledgerKey, clock)
	h.access = access.New(db, l, clock)
	actor := func(id string, roles ...access.Role) access.Actor {
		a, err := h.access.CreateActor(ctx, access.Actor{ID: id, Name: id, Organisation: "云山市档案馆", Roles: roles})
		must(t, err)
		return a
	}
	h.requester, h.approver, h.operator = actor("requester", access.RoleRegistrar), actor("approver", access.RoleApprover), actor("operator", access.RoleOperator)
	h.maker = selfSigned(t, "maker", h.now)
	h.holder = selfSigned(t, code, h.now)
	h.register = register.New(register.Config{DB: db, Ledger: l, Access: h.access, Clock: clock,
		Maker: register.Maker{Certificate: h.maker, Key: makerKey, VendorID: "yinxin"}})
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func selfSigned(t *testing.T, name string, now time.Time) []byte {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	must(t, err)
	template := &smx509.Certificate{}
	template.SerialNumber, template.Subject = big.NewInt(now.UnixNano()), pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.AddDate(1, 0, 0)
	der, err := smx509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return der
}

func picture(t *testing.T, width int) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, image.NewAlpha(image.Rect(0, 0, width, width))))
	return b.Bytes()
}

// approved asks and approves: the way everything here has to go.
func (h *house) approved(kind access.Kind, subject []byte) string {
	h.t.Helper()
	id, err := h.access.Request(h.t.Context(), h.requester, kind, subject)
	must(h.t, err)
	must(h.t, h.access.Approve(h.t.Context(), h.approver, id))
	return id
}

func (h *house) order() register.Order {
	return register.Order{Code: code, Name: "云山市档案馆", Organisation: "云山市档案馆", CreditCode: "12290100MB00000000", Type: 1,
		Width: 42, Height: 42, Template: picture(h.t, 20), Picture: picture(h.t, 10), Custody: register.Central, KeyName: "seal-1", Certificate: h.holder}
}

func (h *house) make(o register.Order) register.Instance {
	h.t.Helper()
	in, err := h.register.Make(h.t.Context(), h.approved(access.KindMakeSeal, o.Subject()), o)
	must(h.t, err)
	return in
}

func (h *house) allow(quota int) register.Grant {
	h.t.Helper()
	g := register.Grant{SealCode: code, Actor: h.operator.ID, From: h.now.Add(-time.Minute), Until: h.now.Add(time.Hour), Quota: quota}
	g, err := h.register.Allow(h.t.Context(), h.approved(access.KindGrant, g.Subject()), g)
	must(h.t, err)
	return g
}

func (h *house) refusal(want string) {
	h.t.Helper()
	_, err := h.register.Authorise(h.t.Context(), h.operator, code)
	if got := fault.CodeOf(err); err == nil || got != want {
		h.t.Fatalf("Authorise: %v, want %s", err, want)
	}
}

func (h *house) usable() register.Instance {
	h.t.Helper()
	in, err := h.register.Authorise(h.t.Context(), h.operator, code)
	must(h.t, err)
	return in
}

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newHouse(t, db)) })
}

func TestASealIsMadeFromAnApprovedOrderAndVerifies(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		in := h.make(h.order())
		seal, err := ses.ParseSeal(in.Seal)
		must(t, err)
		maker, err := chain.ParseCertificate(seal.MakerCertificate)
		must(t, err)
		if seal.ID != code || seal.Name != "云山市档案馆" || !seal.Lists(h.holder) || !bytes.Equal(maker.Raw, h.maker) {
			t.Fatalf("seal %+v", seal)
		}
		if w, height := seal.TrueSize(); w != 42 || height != 42 {
			t.Fatalf("true size %v × %v", w, height)
		}
		if !seal.ValidStart.Equal(in.ValidFrom) || !seal.ValidEnd.Equal(in.ValidUntil) {
			t.Fatalf("the seal is valid %v … %v, its certificate %v … %v", seal.ValidStart, seal.ValidEnd, in.ValidFrom, in.ValidUntil)
		}
	})
}

func TestNoSealWithoutTwoPeople(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		o := h.order()
		id, err := h.access.Request(ctx, h.requester, access.KindMakeSeal, o.Subject())
		must(t, err)
		if _, err := h.register.Make(ctx, id, o); err == nil {
			t.Fatal("a seal was made from a request that nobody approved")
		}
		must(t, h.access.Approve(ctx, h.approver, id))
		other := o
		other.Width = 45
		if _, err := h.register.Make(ctx, id, other); err == nil {
			t.Fatal("a seal was made that differs from what was approved")
		}
		if _, err := h.register.Make(ctx, id, o); err != nil {
			t.Fatalf("the approved order: %v", err)
		}
		if _, err := h.register.Make(ctx, id, o); err == nil {
			t.Fatal("an approval was used twice")
		}
	})
}

func TestTheDatabaseItselfRefusesAnInstanceWithoutAnApproval(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.make(h.order())
		err := h.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO seal_grant (id, seal_code, actor_id, valid_from, valid_until, quota, used,
				approval_id, approval_kind, approval_used) VALUES ('g_forged', $1, 'operator', $2, $3, 0, 0, 'nobody', 'seal.grant', 1)`,
				code, store.Time(h.now), store.Time(h.now.Add(time.Hour)))
			return err
		})
		if !store.IsForeignKey(err) {
			t.Fatalf("a grant without an approval: %v", err)
		}
	})
}

func TestUseNeedsAGrantAnActiveSealAndAPeriod(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.refusal("seal.not-found")
		h.make(h.order())
		h.refusal("seal.not-granted")
		h.allow(0)
		h.usable()
		must(t, h.register.Suspend(ctx, h.requester, code, "lost"))
		h.now = h.now.Add(time.Minute)
		h.refusal("seal.suspended")
		must(t, h.register.Resume(ctx, h.approved(access.KindResumeSeal, register.ResumeSubject(code)), code))
		h.usable()
		h.now = h.now.Add(2 * time.Hour)
		h.refusal("seal.not-granted")
		h.now = h.now.Add(-2 * time.Hour)
		must(t, h.register.Cancel(ctx, h.approved(access.KindCancelSeal, register.CancelSubject(code)), code))
		h.refusal("seal.cancelled")
		if err := h.register.Suspend(ctx, h.requester, code, "again"); fault.CodeOf(err) != "seal.impossible-transition" {
			t.Fatalf("suspending a cancelled seal: %v", err)
		}
	})
}

func TestASealOutsideItsCertificatesValidityIsExpired(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		in := h.make(h.order())
		g := register.Grant{SealCode: code, Actor: h.operator.ID, From: h.now, Until: in.ValidUntil.AddDate(1, 0, 0)}
		_, err := h.register.Allow(t.Context(), h.approved(access.KindGrant, g.Subject()), g)
		must(t, err)
		h.now = in.ValidUntil
		h.usable()
		h.now = in.ValidUntil.Add(time.Second)
		h.refusal("seal.expired")
	})
}

func TestAStateIsAnsweredForAnyTime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		before := h.now.Add(-time.Second)
		h.make(h.order())
		h.now = h.now.Add(time.Hour)
		must(t, h.register.Suspend(ctx, h.approver, code, "lost"))
		for _, c := range []struct {
			at   time.Time
			want register.State
		}{{before, register.Making}, {h.now.Add(-time.Microsecond), register.Active}, {h.now, register.Suspended}, {h.now.Add(time.Hour), register.Suspended}} {
			s, err := h.register.StateAt(ctx, code, c.at)
			must(t, err)
			if s.State != c.want {
				t.Errorf("at %v: %s, want %s", c.at, s.State, c.want)
			}
		}
	})
}

func TestASealIsInForceFromTheWholeSecondInWhichItCameIntoUse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		second := h.now
		h.now = second.Add(700 * time.Millisecond)
		h.make(h.order())
		s, err := h.register.StateAt(t.Context(), code, second)
		must(t, err)
		if s.State != register.Active {
			t.Errorf("at the signing time of a seal put on %v later: %s", 700*time.Millisecond, s.State)
		}
	})
}

func TestAQuotaIsNeverExceededByConcurrentUse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		in := h.make(h.order())
		h.allow(5)
		var mu sync.Mutex
		var grants []string
		var refused int
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				var grant string
				err := h.db.Write(t.Context(), func(tx *store.Tx) (err error) {
					grant, err = h.register.Use(t.Context(), tx, h.operator, code, in.ID)
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					grants = append(grants, grant)
				case fault.CodeOf(err) == "seal.quota-exhausted":
					refused++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(grants) != 5 || refused != 15 {
			t.Fatalf("%d uses and %d refusals, want 5 and 15", len(grants), refused)
		}
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error { return h.register.GiveBack(t.Context(), tx, grants[0]) }))
		h.usable()
	})
}

func TestANewInstanceSupersedesTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := h.make(h.order())
		h.allow(0)
		o := h.order()
		o.Certificate = selfSigned(t, code, h.now.Add(time.Second))
		second := h.make(o)
		if got := h.usable(); got.ID != second.ID {
			t.Fatalf("instance %s, want the newer %s", got.ID, second.ID)
		}
		err := h.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := h.register.Use(t.Context(), tx, h.operator, code, first.ID)
			return err
		})
		if fault.CodeOf(err) != "seal.superseded" {
			t.Fatalf("using the superseded instance: %v", err)
		}
	})
}

func TestWhatWasMadeIsKeptAndWhetherItIsInUseIsAskedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := h.make(h.order())
		h.allow(0)
		for range 2 {
			if got := h.usable(); got.ID != first.ID || !bytes.Equal(got.Seal, first.Seal) || len(got.Picture) == 0 || !got.ValidUntil.Equal(first.ValidUntil) {
				t.Fatalf("instance %s, want %s", got.ID, first.ID)
			}
		}
		isMade := func(code string, seal []byte, want bool) {
			t.Helper()
			if made, _, err := h.register.Made(t.Context(), code, seal); err != nil || made != want {
				t.Errorf("made %v (%v), want %v", made, err, want)
			}
		}
		isMade(code, first.Seal, true)
		isMade("11010100000002", first.Seal, false)
		isMade(code, append(bytes.Clone(first.Seal), 0), false)
		o := h.order()
		o.Certificate = selfSigned(t, code, h.now.Add(time.Second))
		second := h.make(o)
		if got := h.usable(); got.ID != second.ID {
			t.Fatalf("instance %s, want the newer %s", got.ID, second.ID)
		}
		isMade(code, first.Seal, true)
		must(t, h.register.Suspend(t.Context(), access.Actor{Roles: []access.Role{access.RoleRegistrar}}, code, "lost"))
		if _, err := h.register.Authorise(t.Context(), h.operator, code); fault.CodeOf(err) != "seal.suspended" {
			t.Fatalf("using a suspended seal: %v", err)
		}
	})
}

// failingKey is a maker's key that cannot be reached: what a pulled token looks like.
type failingKey struct{ register.MakerKey }

func (failingKey) SignDigest(context.Context, [32]byte) ([]byte, error) {
	return nil, errors.New("token removed")
}

func TestAMakerThatCannotSignLeavesNoSeal(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		good := h.register.Maker.Key
		h.register.Maker.Key = failingKey{good}
		o := h.order()
		if _, err := h.register.Make(t.Context(), h.approved(access.KindMakeSeal, o.Subject()), o); err == nil {
			t.Fatal("a seal without a signature")
		}
		h.allow(0)
		h.refusal("seal.not-ready")
		h.register.Maker.Key = good
		h.make(o)
		h.usable()
	})
}

func TestIncompleteOrdersAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, spoil := range map[string]func(*register.Order){
			"a code of 13 digits":            func(o *register.Order) { o.Code = o.Code[:13] },
			"no name":                        func(o *register.Order) { o.Name = "" },
			"a size of 4 mm":                 func(o *register.Order) { o.Width = 4 },
			"a size that is not a number":    func(o *register.Order) { o.Width = nan() },
			"a central seal without a key":   func(o *register.Order) { o.KeyName = "" },
			"a Key user's seal with a key":   func(o *register.Order) { o.Custody = register.UserKey },
			"a certificate for another seal": func(o *register.Order) { o.Certificate = h.maker },
			"no certificate":                 func(o *register.Order) { o.Certificate = nil },
		} {
			o := h.order()
			spoil(&o)
			if _, err := h.register.Make(t.Context(), "none", o); fault.CodeOf(err) != "seal.invalid-order" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func nan() float64 { return math.NaN() }
