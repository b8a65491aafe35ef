package manifest

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"encoding/binary"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/point"
)

// MaxTerminalName is how many characters a terminal's name may have.
const MaxTerminalName = 60

const nonceSize = 32

// PairingRequest is what a terminal sends to RoutePair.
type PairingRequest struct {
	Pairing string `json:"pairing" doc:"The first four characters of the code." minLength:"4" maxLength:"4"`
	Name    string `json:"name" doc:"What people call the terminal." minLength:"1" maxLength:"60"`
	Key     []byte `json:"key" doc:"The terminal's public SM2 key, 04‖x‖y." maxLength:"88"`
	Nonce   []byte `json:"nonce" doc:"32 random octets." maxLength:"44"`
	MAC     []byte `json:"mac" doc:"HMAC-SM3 over the other members under the key of the code." maxLength:"44"`
}

// PairingAnswer is what the server answers. Key is its public SM2 key for manifests: the terminal pins it.
type PairingAnswer struct {
	Terminal string    `json:"terminal" doc:"Identifier of the terminal from now on."`
	Clerk    Person    `json:"clerk" doc:"For whom it seals."`
	Key      []byte    `json:"key" doc:"Public SM2 key of the server for manifests, 04‖x‖y: to be pinned."`
	Time     time.Time `json:"time" doc:"The server's time, whole seconds."`
	MAC      []byte    `json:"mac" doc:"HMAC-SM3 over request and answer under the key of the code."`
}

// Request makes a terminal's request; 32 octets are read from random.
func (c Code) Request(name string, public *ecdsa.PublicKey, random io.Reader) (PairingRequest, error) {
	r := PairingRequest{Pairing: c.name, Name: name, Key: Point(public), Nonce: make([]byte, nonceSize)}
	if _, err := io.ReadFull(random, r.Nonce); err != nil {
		return r, err
	}
	if err := r.wellFormed(); err != nil {
		return r, err
	}
	r.MAC = c.mac("request", r.parts()...)
	return r, nil
}

// CheckRequest says whether a request was made with this code, and gives the terminal's public key. Error:
// terminal.pairing-refused; terminal.pairing-request, with the field, for what no terminal of ours sends.
func (c Code) CheckRequest(r PairingRequest) (*ecdsa.PublicKey, error) {
	if err := r.wellFormed(); err != nil {
		return nil, err
	}
	if r.Pairing != c.name || !hmac.Equal(r.MAC, c.mac("request", r.parts()...)) {
		return nil, ErrPairing.New()
	}
	return PublicOf(r.Key)
}

// Answer completes a server's answer to a request that was checked.
func (c Code) Answer(r PairingRequest, a PairingAnswer) PairingAnswer {
	a.Time = a.Time.UTC().Truncate(time.Second)
	a.MAC = c.mac("answer", append(r.parts(), a.parts()...)...)
	return a
}

// CheckAnswer says whether an answer to the request comes from who made the code, and gives the server's key. Error:
// terminal.pairing-refused.
func (c Code) CheckAnswer(r PairingRequest, a PairingAnswer) (*ecdsa.PublicKey, error) {
	if a.Terminal == "" || len(a.Terminal) > maxID || a.Clerk.ID == "" || !hmac.Equal(a.MAC, c.mac("answer", append(r.parts(), a.parts()...)...)) {
		return nil, ErrPairing.New()
	}
	return PublicOf(a.Key)
}

func (r PairingRequest) wellFormed() error {
	if len(r.Pairing) != nameLength || strings.Trim(r.Pairing, characters) != "" {
		return errPairingRequest.At(fault.Field("pairing"))
	}
	unprintable := func(c rune) bool { return !unicode.IsPrint(c) }
	if n := utf8.RuneCountInString(r.Name); n < 1 || n > MaxTerminalName || strings.ContainsFunc(r.Name, unprintable) || strings.TrimSpace(r.Name) != r.Name {
		return errPairingRequest.At(fault.Field("name"))
	}
	if len(r.Nonce) != nonceSize {
		return errPairingRequest.At(fault.Field("nonce"))
	}
	if _, err := PublicOf(r.Key); err != nil {
		return errPairingRequest.At(fault.Field("key"))
	}
	return nil
}

func (r PairingRequest) parts() [][]byte {
	return [][]byte{[]byte(r.Pairing), []byte(r.Name), r.Key, r.Nonce}
}

func (a PairingAnswer) parts() [][]byte {
	return [][]byte{[]byte(a.Terminal), []byte(a.Clerk.ID), []byte(a.Clerk.Name), a.Key, []byte(a.Time.UTC().Format(time.RFC3339))}
}

// mac is HMAC-SM3 over a label and parts, each with its length in front (uint32, big endian), so that no two lists of parts
// give the same octets.
func (c Code) mac(label string, parts ...[]byte) []byte {
	h := hmac.New(sm3.New, c.key)
	write := func(p []byte) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	write([]byte("yinxin terminal pairing " + label + " 1"))
	for _, p := range parts {
		write(p)
	}
	return h.Sum(nil)
}

// Point is the uncompressed form of a public SM2 key, 65 octets (GB/T 32918.1 clause 4.2.9), or nothing for another key.
func Point(public *ecdsa.PublicKey) []byte { return point.Of(public) }

// PublicOf reads what Point wrote. Error: terminal.pairing-request.
func PublicOf(point []byte) (*ecdsa.PublicKey, error) {
	if len(point) != 65 {
		return nil, errPairingRequest.At(fault.Field("key"))
	}
	public, err := sm2.NewPublicKey(point)
	if err != nil {
		return nil, errPairingRequest.At(fault.Field("key")).Because(err)
	}
	return public, nil
}
