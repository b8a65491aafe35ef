package hsm

import (
	"bytes"
	"context"

	"github.com/emmansun/gmsm/smx509"
	"golang.org/x/crypto/cryptobyte"
)

const (
	maxObjects = 4096
	maxValue   = 1 << 20
)

// Certificate is a certificate on a token. The ID is that of its private key.
type Certificate struct {
	ID    []byte
	Label string
	DER   []byte
}

// Data is something else on a token, such as a seal: Application and Label name it together.
type Data struct {
	Application, Label string
	ObjectID           []byte // DER of an OBJECT IDENTIFIER, or empty
	Value              []byte
}

// StoreCertificate puts a certificate on the token, in the place of one with the same ID and label: the old one goes when
// the new one is there. Errors: hsm.object, hsm.object-size, and those of a token in use.
func (t *Token) StoreCertificate(ctx context.Context, c Certificate) error {
	if len(c.DER) > maxValue || len(c.ID) > maxID || len(c.Label) > maxLabel {
		return ErrObjectSize.With("%d", len(c.DER))
	}
	parsed, err := smx509.ParseCertificate(c.DER)
	if err != nil || len(c.ID) == 0 {
		return ErrObject.Because(err)
	}
	var serial cryptobyte.Builder
	serial.AddASN1BigInt(parsed.SerialNumber)
	key := []attribute{{attributeClass, classCertificate}, {attributeID, c.ID}, {attributeLabel, c.Label}}
	return t.replace(ctx, key, append(key[:len(key):len(key)], attribute{attributeToken, true}, attribute{attributeCertificateType, certificateX509},
		attribute{attributeSubject, parsed.RawSubject}, attribute{attributeIssuer, parsed.RawIssuer}, attribute{attributeSerial, serial.BytesOrPanic()}, attribute{attributeValue, c.DER}))
}

// StoreData puts data on the token, in the place of what has the same application and label. Where private is set, it shows only
// to who has logged in.
func (t *Token) StoreData(ctx context.Context, d Data, private bool) error {
	if len(d.Value) > maxValue || len(d.Application) > maxLabel || len(d.Label) > maxLabel || len(d.ObjectID) > maxID {
		return ErrObjectSize.With("%d", len(d.Value))
	}
	if len(d.Value) == 0 || d.Label == "" {
		return ErrObject.New()
	}
	key := []attribute{{attributeClass, classData}, {attributeApplication, d.Application}, {attributeLabel, d.Label}}
	template := append(key[:len(key):len(key)], attribute{attributeToken, true}, attribute{attributePrivate, private}, attribute{attributeValue, d.Value})
	if len(d.ObjectID) > 0 {
		template = append(template, attribute{attributeObjectID, d.ObjectID})
	}
	return t.replace(ctx, key, template)
}

// replace makes an object and then destroys those that were there under its key.
func (t *Token) replace(ctx context.Context, key, template []attribute) error {
	_, err := run(ctx, t, func(s session) (struct{}, error) {
		old, err := s.c.Find(s.handle, key, maxObjects)
		if err != nil {
			return struct{}{}, err
		}
		if _, err := s.c.Create(s.handle, template); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, destroyAll(s, old)
	})
	return err
}

func destroyAll(s session, objects []handle) error {
	for _, object := range objects {
		if err := s.c.Destroy(s.handle, object); err != nil {
			return err
		}
	}
	return nil
}

// Certificates lists the certificates on the token.
func (t *Token) Certificates(ctx context.Context) ([]Certificate, error) {
	return run(ctx, t, certificates)
}

func certificates(s session) ([]Certificate, error) {
	return list(s, classCertificate, func(a [][]byte) Certificate {
		return Certificate{ID: a[0], Label: string(a[1]), DER: a[2]}
	}, attributeID, attributeLabel, attributeValue)
}

// Data lists the data objects of an application; of all for "".
func (t *Token) Data(ctx context.Context, application string) ([]Data, error) {
	all, err := run(ctx, t, allData)
	var some []Data
	for _, d := range all {
		if application == "" || d.Application == application {
			some = append(some, d)
		}
	}
	return some, err
}

func allData(s session) ([]Data, error) {
	return list(s, classData, func(a [][]byte) Data {
		return Data{Application: string(a[0]), Label: string(a[1]), ObjectID: a[2], Value: a[3]}
	}, attributeApplication, attributeLabel, attributeObjectID, attributeValue)
}

// list reads all objects of a class.
func list[T any](s session, class uint, read func([][]byte) T, kinds ...uint) ([]T, error) {
	found, err := s.c.Find(s.handle, []attribute{{attributeClass, class}}, maxObjects)
	if err != nil {
		return nil, err
	}
	var all []T
	for _, object := range found {
		a, err := s.c.Attributes(s.handle, object, kinds...)
		if answered(err, rvObjectHandle) {
			continue // destroyed since
		}
		if err != nil {
			return nil, err
		}
		all = append(all, read(a))
	}
	return all, nil
}

// RemoveCertificate takes certificates off the token: those of the ID, and of the label where one is given. Removing what is
// not there is no error.
func (t *Token) RemoveCertificate(ctx context.Context, id []byte, label string) error {
	if len(id) == 0 {
		return ErrObject.New()
	}
	key := []attribute{{attributeClass, classCertificate}, {attributeID, id}}
	if label != "" {
		key = append(key, attribute{attributeLabel, label})
	}
	return t.removeAll(ctx, key)
}

// RemoveData takes data off the token. Removing what is not there is no error.
func (t *Token) RemoveData(ctx context.Context, application, label string) error {
	if label == "" {
		return ErrObject.New()
	}
	return t.removeAll(ctx, []attribute{{attributeClass, classData}, {attributeApplication, application}, {attributeLabel, label}})
}

func (t *Token) removeAll(ctx context.Context, key []attribute) error {
	_, err := run(ctx, t, func(s session) (struct{}, error) {
		found, err := s.c.Find(s.handle, key, maxObjects)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, destroyAll(s, found)
	})
	return err
}

// CertificateOf is the certificate whose public key is that of the key: hsm.key-not-found where there is none.
func (k *Key) CertificateOf(ctx context.Context) (Certificate, error) {
	all, err := k.token.Certificates(ctx)
	if err != nil {
		return Certificate{}, err
	}
	for _, c := range all {
		parsed, err := smx509.ParseCertificate(c.DER)
		if err == nil && bytes.Equal(c.ID, k.info.ID) && samePublic(parsed.PublicKey, k.info.Public) {
			return c, nil
		}
	}
	return Certificate{}, ErrKeyNotFound.With("%s", idText(k.info.ID))
}
