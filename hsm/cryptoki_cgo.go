//go:build cgo

package hsm

import (
	"errors"
	"math"
	"strings"
	"unsafe"

	"github.com/miekg/pkcs11"
)

// library is a module that was loaded by miekg/pkcs11.
type library struct{ c *pkcs11.Ctx }

var _ cryptoki = library{}

func load(path string) (cryptoki, error) {
	c := pkcs11.New(path)
	if c == nil {
		return nil, errors.New("not a shared library with C_GetFunctionList")
	}
	return library{c}, nil
}

// value turns the errors of the binding into ours.
func value(err error) error {
	var rv pkcs11.Error
	if errors.As(err, &rv) {
		return returnValue(rv)
	}
	return err
}

func (l library) Initialize() error { return value(l.c.Initialize()) }
func (l library) Finalize() error   { return value(l.c.Finalize()) }
func (l library) Unload()           { l.c.Destroy() }

func (l library) Info() (ModuleInfo, error) {
	i, err := l.c.GetInfo()
	if err != nil {
		return ModuleInfo{}, value(err)
	}
	return ModuleInfo{Manufacturer: padded(i.ManufacturerID), Description: padded(i.LibraryDescription),
		Version: version(i.LibraryVersion), Cryptoki: version(i.CryptokiVersion)}, nil
}

func (l library) Slots() ([]uint, error) {
	list, err := l.c.GetSlotList(false)
	return list, value(err)
}

func (l library) Slot(id uint) (slotInfo, error) {
	i, err := l.c.GetSlotInfo(id)
	return slotInfo{description: padded(i.SlotDescription), manufacturer: padded(i.ManufacturerID),
		present: i.Flags&pkcs11.CKF_TOKEN_PRESENT != 0, removable: i.Flags&pkcs11.CKF_REMOVABLE_DEVICE != 0}, value(err)
}

func (l library) Token(slot uint) (TokenInfo, error) {
	i, err := l.c.GetTokenInfo(slot)
	return TokenInfo{Label: padded(i.Label), Manufacturer: padded(i.ManufacturerID), Model: padded(i.Model), Serial: padded(i.SerialNumber),
		MaxSessions: limit(i.MaxSessionCount), flags: i.Flags, maxWriting: limit(i.MaxRwSessionCount),
		Initialised: i.Flags&flagInitialized != 0, PINSet: i.Flags&flagPINInitialized != 0, PINLow: i.Flags&flagPINLow != 0,
		PINFinalTry: i.Flags&flagPINFinal != 0, PINLocked: i.Flags&flagPINLocked != 0,
		SOPINLow: i.Flags&flagSOPINLow != 0, SOPINFinalTry: i.Flags&flagSOPINFinal != 0, SOPINLocked: i.Flags&flagSOPINLocked != 0,
		MinPIN: limit(i.MinPinLen), MaxPIN: limit(i.MaxPinLen)}, value(err)
}

// limit is 0 where a token has none (CK_EFFECTIVELY_INFINITE) or does not tell (CK_UNAVAILABLE_INFORMATION).
func limit(n uint) int {
	if n == 0 || uint64(n) >= math.MaxUint32 {
		return 0
	}
	return int(n)
}

// padded takes the blanks off that fill fixed fields, and the zero octets that some modules fill them with.
func padded(s string) string { return strings.ToValidUTF8(strings.TrimRight(s, " \x00"), "?") }

func (l library) OpenSession(slot uint, write bool) (handle, error) {
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if write {
		flags |= pkcs11.CKF_RW_SESSION
	}
	h, err := l.c.OpenSession(slot, flags)
	return handle(h), value(err)
}

func (l library) CloseSession(h handle) error {
	return value(l.c.CloseSession(pkcs11.SessionHandle(h)))
}
func (l library) CloseAllSessions(slot uint) error { return value(l.c.CloseAllSessions(slot)) }

func (l library) SessionState(h handle) (uint, error) {
	i, err := l.c.GetSessionInfo(pkcs11.SessionHandle(h))
	return i.State, value(err)
}

// lent gives the binding the caller's octets as a string, so that no second copy of a PIN stays in Go's memory.
func lent(pin []byte) string { return unsafe.String(unsafe.SliceData(pin), len(pin)) }

func (l library) Login(h handle, pin []byte) error {
	return value(l.c.Login(pkcs11.SessionHandle(h), pkcs11.CKU_USER, lent(pin)))
}

func (l library) LoginOfficer(h handle, pin []byte) error {
	return value(l.c.Login(pkcs11.SessionHandle(h), pkcs11.CKU_SO, lent(pin)))
}

func (l library) InitToken(slot uint, pin []byte, label string) error {
	return value(l.c.InitToken(slot, lent(pin), label))
}

func (l library) InitPIN(h handle, pin []byte) error {
	return value(l.c.InitPIN(pkcs11.SessionHandle(h), lent(pin)))
}

func (l library) SetPIN(h handle, old, pin []byte) error {
	return value(l.c.SetPIN(pkcs11.SessionHandle(h), lent(old), lent(pin)))
}

func template(list []attribute) []*pkcs11.Attribute {
	out := make([]*pkcs11.Attribute, len(list))
	for i, a := range list {
		out[i] = pkcs11.NewAttribute(a.kind, a.value)
	}
	return out
}

func (l library) Find(h handle, of []attribute, most int) ([]handle, error) {
	session := pkcs11.SessionHandle(h)
	if err := l.c.FindObjectsInit(session, template(of)); err != nil {
		return nil, value(err)
	}
	var found []handle
	var err error
	for len(found) < most {
		var some []pkcs11.ObjectHandle
		some, _, err = l.c.FindObjects(session, min(most-len(found), 128))
		if err != nil || len(some) == 0 {
			break
		}
		for _, o := range some {
			found = append(found, handle(o))
		}
	}
	if end := l.c.FindObjectsFinal(session); err == nil {
		err = end
	}
	return found, value(err)
}

func (l library) Attributes(h, object handle, kinds ...uint) ([][]byte, error) {
	out := make([][]byte, len(kinds))
	// One by one: a module answers a question for several with nothing at all where one of them is not there.
	for i, kind := range kinds {
		got, err := l.c.GetAttributeValue(pkcs11.SessionHandle(h), pkcs11.ObjectHandle(object), []*pkcs11.Attribute{{Type: kind}})
		if err := value(err); answered(err, rvAttributeType, rvAttributeSensitive) {
			continue
		} else if err != nil {
			return nil, err
		}
		out[i] = got[0].Value
	}
	return out, nil
}

func (l library) Create(h handle, of []attribute) (handle, error) {
	o, err := l.c.CreateObject(pkcs11.SessionHandle(h), template(of))
	return handle(o), value(err)
}

func (l library) Destroy(h, object handle) error {
	return value(l.c.DestroyObject(pkcs11.SessionHandle(h), pkcs11.ObjectHandle(object)))
}

func how(m mechanism) []*pkcs11.Mechanism {
	return []*pkcs11.Mechanism{{Mechanism: m.number, Parameter: m.parameter}}
}

func (l library) GenerateKeyPair(h handle, m mechanism, public, private []attribute) (handle, handle, error) {
	a, b, err := l.c.GenerateKeyPair(pkcs11.SessionHandle(h), how(m), template(public), template(private))
	return handle(a), handle(b), value(err)
}

func (l library) Sign(h, key handle, m mechanism, data []byte) ([]byte, error) {
	session := pkcs11.SessionHandle(h)
	if err := l.c.SignInit(session, how(m), pkcs11.ObjectHandle(key)); err != nil {
		return nil, value(err)
	}
	signature, err := l.c.Sign(session, data)
	return signature, value(err)
}

func version(v pkcs11.Version) string { return versionText(v.Major, v.Minor) }
