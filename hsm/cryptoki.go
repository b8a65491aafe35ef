package hsm

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
)

// handle is a session or an object of a module; it means nothing to another generation of sessions.
type handle = uint

// attribute is one line of a template: the value is a bool, uint, string or []byte.
type attribute struct {
	kind  uint
	value any
}

// mechanism is a way to sign or to make keys.
type mechanism struct {
	number    uint
	parameter []byte
}

// cryptoki is what a PKCS#11 module can do, as far as this package needs it. A real one is in cryptoki_cgo.go. Errors
// that the module itself answered are returnValues.
type cryptoki interface {
	Initialize() error
	Finalize() error
	Unload()
	Info() (ModuleInfo, error)
	Slots() ([]uint, error)
	Slot(id uint) (slotInfo, error)
	Token(slot uint) (TokenInfo, error)
	OpenSession(slot uint, write bool) (handle, error)
	CloseSession(session handle) error
	CloseAllSessions(slot uint) error
	SessionState(session handle) (uint, error)
	Login(session handle, pin []byte) error
	LoginOfficer(session handle, pin []byte) error
	InitToken(slot uint, pin []byte, label string) error
	InitPIN(session handle, pin []byte) error
	SetPIN(session handle, old, pin []byte) error
	Find(session handle, template []attribute, most int) ([]handle, error)
	// Attributes gives one value for each kind; nil for what the object does not have or does not tell.
	Attributes(session, object handle, kinds ...uint) ([][]byte, error)
	Create(session handle, template []attribute) (handle, error)
	Destroy(session, object handle) error
	GenerateKeyPair(session handle, how mechanism, public, private []attribute) (handle, handle, error)
	Sign(session, key handle, how mechanism, data []byte) ([]byte, error)
}

type slotInfo struct {
	description, manufacturer string
	present, removable        bool
}

// returnValue is a CK_RV other than CKR_OK.
type returnValue uint

func (rv returnValue) Error() string {
	if name, ok := returnNames[rv]; ok {
		return name
	}
	return fmt.Sprintf("CKR 0x%08X", uint(rv))
}

// The return values that mean something here (PKCS#11 2.40, 11.1).
const (
	rvGeneralError        returnValue = 0x05
	rvFunctionFailed      returnValue = 0x06
	rvAttributeSensitive  returnValue = 0x11
	rvAttributeType       returnValue = 0x12
	rvDeviceError         returnValue = 0x30
	rvDeviceMemory        returnValue = 0x31
	rvDeviceRemoved       returnValue = 0x32
	rvKeyHandle           returnValue = 0x60
	rvMechanism           returnValue = 0x70
	rvObjectHandle        returnValue = 0x82
	rvPINIncorrect        returnValue = 0xA0
	rvPINInvalid          returnValue = 0xA1
	rvPINLength           returnValue = 0xA2
	rvPINExpired          returnValue = 0xA3
	rvPINLocked           returnValue = 0xA4
	rvSessionClosed       returnValue = 0xB0
	rvSessionCount        returnValue = 0xB1
	rvSessionHandle       returnValue = 0xB3
	rvSessionReadOnly     returnValue = 0xB5
	rvTokenNotPresent     returnValue = 0xE0
	rvTokenNotRecognized  returnValue = 0xE1
	rvTokenWriteProtected returnValue = 0xE2
	rvAlreadyLoggedIn     returnValue = 0x100
	rvNotLoggedIn         returnValue = 0x101
	rvPINNotInitialized   returnValue = 0x102
	rvInitialized         returnValue = 0x191
)

var returnNames = map[returnValue]string{
	rvGeneralError: "CKR_GENERAL_ERROR", rvFunctionFailed: "CKR_FUNCTION_FAILED", rvAttributeSensitive: "CKR_ATTRIBUTE_SENSITIVE",
	rvAttributeType: "CKR_ATTRIBUTE_TYPE_INVALID", rvDeviceError: "CKR_DEVICE_ERROR", rvDeviceMemory: "CKR_DEVICE_MEMORY",
	rvDeviceRemoved: "CKR_DEVICE_REMOVED", rvKeyHandle: "CKR_KEY_HANDLE_INVALID", rvMechanism: "CKR_MECHANISM_INVALID",
	rvObjectHandle: "CKR_OBJECT_HANDLE_INVALID", rvPINIncorrect: "CKR_PIN_INCORRECT", rvPINInvalid: "CKR_PIN_INVALID",
	rvPINLength: "CKR_PIN_LEN_RANGE", rvPINExpired: "CKR_PIN_EXPIRED", rvPINLocked: "CKR_PIN_LOCKED",
	rvSessionClosed: "CKR_SESSION_CLOSED", rvSessionCount: "CKR_SESSION_COUNT", rvSessionHandle: "CKR_SESSION_HANDLE_INVALID",
	rvSessionReadOnly: "CKR_SESSION_READ_ONLY", rvTokenNotPresent: "CKR_TOKEN_NOT_PRESENT", rvTokenNotRecognized: "CKR_TOKEN_NOT_RECOGNIZED",
	rvTokenWriteProtected: "CKR_TOKEN_WRITE_PROTECTED", rvAlreadyLoggedIn: "CKR_USER_ALREADY_LOGGED_IN", rvNotLoggedIn: "CKR_USER_NOT_LOGGED_IN",
	rvPINNotInitialized: "CKR_USER_PIN_NOT_INITIALIZED", rvInitialized: "CKR_CRYPTOKI_ALREADY_INITIALIZED",
}

// answered reports whether err is one of the return values.
func answered(err error, values ...returnValue) bool {
	var rv returnValue
	if !errors.As(err, &rv) {
		return false
	}
	for _, v := range values {
		if v == rv {
			return true
		}
	}
	return false
}

// dead reports whether err says that the sessions, and with them login and handles, are gone.
func dead(err error) bool {
	return answered(err, rvDeviceRemoved, rvDeviceError, rvTokenNotPresent, rvSessionHandle, rvSessionClosed, rvNotLoggedIn, rvObjectHandle, rvKeyHandle)
}

// The numbers of PKCS#11 that this package uses.
const (
	classData        uint = 0
	classCertificate uint = 1
	classPublicKey   uint = 2
	classPrivateKey  uint = 3

	keyTypeRSA uint = 0
	keyTypeEC  uint = 3

	certificateX509 uint = 0

	attributeClass           uint = 0x000
	attributeToken           uint = 0x001
	attributePrivate         uint = 0x002
	attributeLabel           uint = 0x003
	attributeApplication     uint = 0x010
	attributeValue           uint = 0x011
	attributeObjectID        uint = 0x012
	attributeCertificateType uint = 0x080
	attributeIssuer          uint = 0x081
	attributeSerial          uint = 0x082
	attributeKeyType         uint = 0x100
	attributeSubject         uint = 0x101
	attributeID              uint = 0x102
	attributeSensitive       uint = 0x103
	attributeSign            uint = 0x108
	attributeVerify          uint = 0x10A
	attributeModulus         uint = 0x120
	attributeModulusBits     uint = 0x121
	attributeExponent        uint = 0x122
	attributeExtractable     uint = 0x162
	attributeECParams        uint = 0x180
	attributeECPoint         uint = 0x181

	mechanismRSAPair  uint = 0x0000
	mechanismRSA      uint = 0x0001
	mechanismRSAPSS   uint = 0x000D
	mechanismECPair   uint = 0x1040
	mechanismECDSA    uint = 0x1041
	mechanismECDSAEnd uint = 0x104F // the last of the family: with SHA-1 … SHA-3

	stateReadUser  uint = 1
	stateWriteUser uint = 3

	flagWriteProtected uint = 1 << 1
	flagLoginRequired  uint = 1 << 2
	flagPINInitialized uint = 1 << 3
	flagInitialized    uint = 1 << 10
	flagPINLow         uint = 1 << 16
	flagPINFinal       uint = 1 << 17
	flagPINLocked      uint = 1 << 18
	flagSOPINLow       uint = 1 << 20
	flagSOPINFinal     uint = 1 << 21
	flagSOPINLocked    uint = 1 << 22
)

// number reads a CK_ULONG attribute, which has the length and byte order of the machine; every machine that the program is
// built for keeps the least octet first.
func number(value []byte) (uint, bool) {
	if len(value) == 0 || len(value) > 8 {
		return 0, false
	}
	var n uint64
	for i, b := range value {
		n |= uint64(b) << (8 * i)
	}
	return uint(n), true
}

// ulongSize is the size of CK_ULONG in octets: that of C's long, which is short under Windows.
var ulongSize = func() int {
	if runtime.GOOS == "windows" {
		return 4
	}
	return strconv.IntSize / 8
}()
