//go:build cgo

package tokentest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/miekg/pkcs11"

	"yinxin/ca/envelope"
)

const v = 0x80000000

// own is where the numbers begin that the soft token alone has.
const own = v + 0x59580000

// The key type and mechanisms of the vendor sansec.
const (
	keyTypeSM2 = v + 0x4
	keyPair    = v + 0x8001
	signE      = v + 0x8104
	signERaw   = v + 0x8105
	signSM3    = v + 0x8101
	signID     = v + 0x8103
	signIDRaw  = v + 0x8102
	digestSM3  = v + 0x9001
	decrypt    = own + 1
	unwrap     = own + 2
)

// opened is the module over a folder of its own. The tests of this package run one after the other: the module is one
// for the process.
type opened struct {
	*pkcs11.Ctx
	t      *testing.T
	folder Folder
}

func open(t *testing.T, configuration ...string) opened {
	t.Helper()
	module := Module(t)
	folder := NewFolder(t, configuration...)
	t.Setenv(Environment, folder.Path)
	c := pkcs11.New(module)
	if c == nil {
		t.Fatal("the module does not load")
	}
	if err := c.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Finalize()
		c.Destroy()
	})
	return opened{c, t, folder}
}

func (o opened) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// want demands a return value.
func (o opened) want(err error, rv uint) {
	o.t.Helper()
	var is pkcs11.Error
	if !errors.As(err, &is) || uint(is) != rv {
		o.t.Errorf("%v, not %v", err, pkcs11.Error(rv))
	}
}

// initialised makes the token of slot 0 ready and gives a session without login.
func (o opened) initialised() pkcs11.SessionHandle {
	o.t.Helper()
	o.must(o.InitToken(0, SOPIN, "clerk"))
	h := o.session(true)
	o.must(o.Login(h, pkcs11.CKU_SO, SOPIN))
	o.must(o.InitPIN(h, UserPIN))
	o.must(o.Logout(h))
	return h
}

func (o opened) session(writable bool) pkcs11.SessionHandle {
	o.t.Helper()
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if writable {
		flags |= pkcs11.CKF_RW_SESSION
	}
	h, err := o.OpenSession(0, flags)
	o.must(err)
	return h
}

func (o opened) user() pkcs11.SessionHandle {
	o.t.Helper()
	h := o.initialised()
	o.must(o.Login(h, pkcs11.CKU_USER, UserPIN))
	return h
}

func mechanism(number uint, parameter any) []*pkcs11.Mechanism {
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(number, parameter)}
}

func (o opened) pair(h pkcs11.SessionHandle, how uint, curve bool) (public, private pkcs11.ObjectHandle) {
	o.t.Helper()
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{1})}
	publics := template
	if curve {
		publics = append(publics[:2:2], pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, []byte{0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d}))
	}
	public, private, err := o.GenerateKeyPair(h, mechanism(how, nil), publics, template)
	o.must(err)
	return public, private
}

func (o opened) point(h pkcs11.SessionHandle, key pkcs11.ObjectHandle) []byte {
	o.t.Helper()
	a, err := o.GetAttributeValue(h, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	o.must(err)
	if len(a[0].Value) != 67 {
		o.t.Fatalf("a point of %d octets", len(a[0].Value))
	}
	return a[0].Value[2:]
}

func (o opened) sign(h pkcs11.SessionHandle, key pkcs11.ObjectHandle, how uint, parameter any, data []byte) ([]byte, error) {
	if err := o.SignInit(h, mechanism(how, parameter), key); err != nil {
		return nil, err
	}
	return o.Sign(h, data)
}

func derOf(raw []byte) []byte {
	out, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
	if err != nil {
		panic(err)
	}
	return out
}

func TestSignaturesAreGoodForAnotherImplementation(t *testing.T) {
	o := open(t)
	h := o.user()
	for _, curve := range []bool{false, true} {
		how := uint(keyPair)
		if curve {
			how = pkcs11.CKM_EC_KEY_PAIR_GEN
		}
		public, private := o.pair(h, how, curve)
		key, err := sm2.NewPublicKey(o.point(h, public))
		o.must(err)
		message := []byte("档案出证")
		e, err := sm2.CalculateSM2Hash(key, message, nil)
		o.must(err)
		other, err := sm2.CalculateSM2Hash(key, message, []byte("another"))
		o.must(err)
		plain := sm3.Sum(message)
		for _, c := range []struct {
			name      string
			how       uint
			parameter any
			input, e  []byte
			raw       bool
		}{
			{"e", signE, nil, e, e, false}, {"e raw", signERaw, nil, e, e, true}, {"SM3", signSM3, nil, message, plain[:], false},
			{"ID", signID, nil, message, e, false}, {"ID raw", signIDRaw, nil, message, e, true}, {"another ID", signID, []byte("another"), message, other, false},
		} {
			signature, err := o.sign(h, private, c.how, c.parameter, c.input)
			o.must(err)
			der := signature
			if c.raw {
				der = derOf(signature)
			}
			if !sm2.VerifyASN1(key, c.e, der) {
				t.Errorf("%s: not good", c.name)
			}
			o.must(o.VerifyInit(h, mechanism(c.how, c.parameter), public))
			o.must(o.Verify(h, c.input, signature))
			signature[len(signature)-1] ^= 1
			o.must(o.VerifyInit(h, mechanism(c.how, c.parameter), public))
			o.want(o.Verify(h, c.input, signature), pkcs11.CKR_SIGNATURE_INVALID)
		}
		_, err = o.sign(h, private, signE, nil, e[:31])
		o.want(err, pkcs11.CKR_DATA_LEN_RANGE)
		o.must(o.SignInit(h, mechanism(signID, nil), private))
		o.must(o.SignUpdate(h, message[:5]))
		o.must(o.SignUpdate(h, message[5:]))
		signature, err := o.SignFinal(h)
		o.must(err)
		if !sm2.VerifyASN1(key, e, signature) {
			t.Error("in parts: not good")
		}
	}
}

func TestAnEncryptionKeyArrivesWithoutShowing(t *testing.T) {
	o := open(t)
	h := o.user()
	public, private := o.pair(h, keyPair, false)
	to, err := sm2.NewPublicKey(o.point(h, public))
	o.must(err)
	key, err := sm2.GenerateKey(rand.Reader)
	o.must(err)
	sealed, err := envelope.Seal(rand.Reader, to, key)
	o.must(err)
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{2})}
	got, err := o.UnwrapKey(h, mechanism(unwrap, nil), private, sealed, template)
	o.must(err)
	cipher, err := sm2.EncryptASN1(rand.Reader, &key.PublicKey, []byte("卷宗"))
	o.must(err)
	o.must(o.DecryptInit(h, mechanism(decrypt, nil), got))
	plain, err := o.Decrypt(h, cipher)
	o.must(err)
	if string(plain) != "卷宗" {
		t.Errorf("%q", plain)
	}
	_, err = o.GetAttributeValue(h, got, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	o.want(err, pkcs11.CKR_ATTRIBUTE_SENSITIVE)
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		if stray, err := o.UnwrapKey(h, mechanism(unwrap, nil), private, damaged, template); err == nil {
			t.Errorf("octet %d changed, and yet a key: %v", i, stray)
		}
	}
}

func TestTheRulesOfSessionsAndLogins(t *testing.T) {
	o := open(t, "sessions = 3")
	_, err := o.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	o.want(err, pkcs11.CKR_TOKEN_NOT_RECOGNIZED)
	h := o.initialised()
	reader := o.session(false)
	o.want(o.Login(h, pkcs11.CKU_SO, SOPIN), pkcs11.CKR_SESSION_READ_ONLY_EXISTS)
	o.must(o.Login(reader, pkcs11.CKU_USER, UserPIN))
	o.want(o.Login(h, pkcs11.CKU_USER, UserPIN), pkcs11.CKR_USER_ALREADY_LOGGED_IN)
	o.want(o.Login(h, pkcs11.CKU_SO, SOPIN), pkcs11.CKR_USER_ANOTHER_ALREADY_LOGGED_IN)
	_, _, err = o.GenerateKeyPair(reader, mechanism(keyPair, nil), []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)},
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)})
	o.want(err, pkcs11.CKR_SESSION_READ_ONLY)
	if found := o.find(h); len(found) != 0 {
		t.Errorf("half of a pair stays: %v", found)
	}
	_, private := o.pair(h, keyPair, false)
	o.must(o.Logout(h))
	_, err = o.sign(h, private, signE, nil, make([]byte, 32))
	o.want(err, pkcs11.CKR_KEY_HANDLE_INVALID)
	if found := o.find(h); len(found) != 1 {
		t.Errorf("without login %d objects", len(found))
	}
	o.session(false)
	_, err = o.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	o.want(err, pkcs11.CKR_SESSION_COUNT)
	o.must(o.CloseAllSessions(0))
	o.want(o.Logout(h), pkcs11.CKR_SESSION_HANDLE_INVALID)
	h = o.session(true)
	o.must(o.Login(h, pkcs11.CKU_SO, SOPIN))
	_, err = o.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	o.want(err, pkcs11.CKR_SESSION_READ_WRITE_SO_EXISTS)
	o.want(o.InitToken(0, SOPIN, "again"), pkcs11.CKR_SESSION_EXISTS)
}

func (o opened) find(h pkcs11.SessionHandle, template ...*pkcs11.Attribute) []pkcs11.ObjectHandle {
	o.t.Helper()
	o.must(o.FindObjectsInit(h, template))
	found, _, err := o.FindObjects(h, 100)
	o.must(err)
	o.must(o.FindObjectsFinal(h))
	return found
}

func TestATryIsCountedBeforeThePINIsLookedAt(t *testing.T) {
	o := open(t, "tries = 3")
	h := o.initialised()
	o.want(o.Login(h, pkcs11.CKU_USER, "wrong1"), pkcs11.CKR_PIN_INCORRECT)
	o.want(o.Login(h, pkcs11.CKU_USER, "wrong2"), pkcs11.CKR_PIN_INCORRECT)
	info, err := o.GetTokenInfo(0)
	o.must(err)
	if info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY == 0 || info.Flags&pkcs11.CKF_USER_PIN_COUNT_LOW == 0 {
		t.Errorf("flags %x", info.Flags)
	}
	// A folder that cannot be written to lets nobody try: the counter comes first. A process with every right may.
	path := filepath.Join(o.folder.Path, "0")
	o.must(os.Chmod(path, 0o500))
	if os.WriteFile(filepath.Join(path, "probe"), nil, 0o600) != nil {
		o.want(o.Login(h, pkcs11.CKU_USER, UserPIN), pkcs11.CKR_DEVICE_ERROR)
	}
	o.must(os.Chmod(path, 0o700))
	o.want(o.Login(h, pkcs11.CKU_USER, "wrong3"), pkcs11.CKR_PIN_LOCKED)
	o.want(o.Login(h, pkcs11.CKU_USER, UserPIN), pkcs11.CKR_PIN_LOCKED)
	o.must(o.Login(h, pkcs11.CKU_SO, SOPIN))
	o.must(o.InitPIN(h, "888888"))
	o.must(o.Logout(h))
	o.must(o.Login(h, pkcs11.CKU_USER, "888888"))
	o.want(o.SetPIN(h, "888888", "1"), pkcs11.CKR_PIN_LEN_RANGE)
	o.must(o.SetPIN(h, "888888", UserPIN))
	o.must(o.Logout(h))
	o.must(o.Login(h, pkcs11.CKU_USER, UserPIN))
}

func TestObjectsOutliveTheProcessAndDamageIsNoticed(t *testing.T) {
	o := open(t)
	h := o.user()
	_, private := o.pair(h, keyPair, false)
	data, err := o.CreateObject(h, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, "seal"), pkcs11.NewAttribute(pkcs11.CKA_VALUE, bytes.Repeat([]byte{7}, 100_000))})
	o.must(err)
	o.must(o.SetAttributeValue(h, data, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_LABEL, "印章")}))
	o.want(o.SetAttributeValue(h, private, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true)}), pkcs11.CKR_ATTRIBUTE_READ_ONLY)
	o.must(o.Finalize())
	o.must(o.Initialize())
	h = o.session(true)
	o.must(o.Login(h, pkcs11.CKU_USER, UserPIN))
	if n := len(o.find(h)); n != 3 {
		t.Fatalf("%d objects", n)
	}
	found := o.find(h, pkcs11.NewAttribute(pkcs11.CKA_LABEL, "印章"))
	if len(found) != 1 {
		t.Fatalf("%d with the label", len(found))
	}
	files, err := filepath.Glob(filepath.Join(o.folder.Path, "0", "objects", "*"))
	o.must(err)
	for _, path := range files {
		content, err := os.ReadFile(path)
		o.must(err)
		content[len(content)/2] ^= 1
		o.must(os.WriteFile(path, content, 0o600))
	}
	if n := len(o.find(h)); n != 0 {
		t.Errorf("%d damaged objects", n)
	}
}

// A public object whose digest was made to fit is believed by nobody who has logged in.
func TestAForgedCertificateIsNotThereForTheUser(t *testing.T) {
	o := open(t)
	h := o.user()
	_, err := o.CreateObject(h, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, "AAAA")})
	o.must(err)
	files, err := filepath.Glob(filepath.Join(o.folder.Path, "0", "objects", "*"))
	o.must(err)
	content, err := os.ReadFile(files[0])
	o.must(err)
	tail := len(content) - 28
	copy(content[bytes.Index(content, []byte("AAAA")):], "BBBB")
	copy(content[12:], sha256Of(content[44:tail]))
	o.must(os.WriteFile(files[0], content, 0o600))
	if n := len(o.find(h)); n != 0 {
		t.Error("the user sees what was forged")
	}
	o.must(o.Logout(h))
	if n := len(o.find(h)); n != 1 {
		t.Errorf("without login %d objects: the forgery of this test does not fit its digest", n)
	}
}

func TestATokenThatIsPulledOutEndsItsSessions(t *testing.T) {
	o := open(t)
	h := o.user()
	_, private := o.pair(h, keyPair, false)
	o.folder.Pull(t, 0)
	_, err := o.sign(h, private, signE, nil, make([]byte, 32))
	o.want(err, pkcs11.CKR_DEVICE_REMOVED)
	_, err = o.sign(h, private, signE, nil, make([]byte, 32))
	o.want(err, pkcs11.CKR_SESSION_HANDLE_INVALID)
	_, err = o.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	o.want(err, pkcs11.CKR_TOKEN_NOT_PRESENT)
	slots, err := o.GetSlotList(true)
	o.must(err)
	if len(slots) != 3 {
		t.Errorf("slots with token %v", slots)
	}
	o.folder.Insert(t, 0)
	h = o.session(true)
	o.must(o.Login(h, pkcs11.CKU_USER, UserPIN))
	if n := len(o.find(h)); n != 2 {
		t.Errorf("%d objects", n)
	}
}

func TestFaults(t *testing.T) {
	o := open(t)
	h := o.user()
	public, private := o.pair(h, keyPair, false)
	key, err := sm2.NewPublicKey(o.point(h, public))
	o.must(err)
	e := make([]byte, 32)
	o.folder.Fault(t, 0, "wrong_encoding = 1")
	signature, err := o.sign(h, private, signE, nil, e)
	o.must(err)
	if len(signature) != 64 || !sm2.VerifyASN1(key, e, derOf(signature)) {
		t.Errorf("%d octets", len(signature))
	}
	o.folder.Fault(t, 0, "one_session = 1")
	_, err = o.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	o.want(err, pkcs11.CKR_SESSION_COUNT)
	o.folder.Fault(t, 0, "remove_at_signature = 3")
	for range 2 {
		_, err = o.sign(h, private, signE, nil, e)
		o.must(err)
	}
	_, err = o.sign(h, private, signE, nil, e)
	o.want(err, pkcs11.CKR_DEVICE_REMOVED)
}

func TestDigestsAndRandom(t *testing.T) {
	o := open(t)
	h := o.initialised()
	o.must(o.DigestInit(h, mechanism(digestSM3, nil)))
	sum, err := o.Digest(h, []byte("abc"))
	o.must(err)
	if want := sm3.Sum([]byte("abc")); !bytes.Equal(sum, want[:]) {
		t.Errorf("%x", sum)
	}
	a, err := o.GenerateRandom(h, 32)
	o.must(err)
	b, err := o.GenerateRandom(h, 32)
	o.must(err)
	if bytes.Equal(a, b) || binary.LittleEndian.Uint64(a) == 0 {
		t.Error("that is not random")
	}
}

func sha256Of(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}
