package hsm

import "bytes"

// Contents are the objects of a token that show to everybody.
type Contents struct {
	Keys         []KeyInfo // public keys
	Certificates []Certificate
	Data         []Data
}

// Look lists what a token shows without a PIN. The profile tells what the keys of a vendor's own type are; without one they
// are listed without it. Errors: hsm.token-not-found, hsm.token-ambiguous, hsm.device, hsm.closed.
func (m *Module) Look(of Selection, p Profile) (Contents, error) {
	done, err := m.ask()
	if err != nil {
		return Contents{}, err
	}
	defer done()
	slot, err := m.find(of)
	if err != nil {
		return Contents{}, err
	}
	h, err := m.c.OpenSession(slot.ID, false)
	if err != nil {
		return Contents{}, deviceFault(err)
	}
	defer m.c.CloseSession(h) //nolint:errcheck // nothing is done in it any more
	s := session{c: m.c, handle: h}
	var c Contents
	for _, read := range []func() error{
		func() error { c.Keys, err = publicKeys(s, p); return err },
		func() error { c.Certificates, err = certificates(s); return err },
		func() error { c.Data, err = allData(s); return err },
	} {
		if err := read(); err != nil {
			return Contents{}, deviceFault(err)
		}
	}
	return c, nil
}

func publicKeys(s session, p Profile) ([]KeyInfo, error) {
	reader := &Token{config: Config{Profile: p}} // which reads points, and is no token in use
	return list(s, classPublicKey, func(a [][]byte) KeyInfo {
		info := KeyInfo{ID: a[0], Label: string(bytes.ToValidUTF8(bytes.TrimRight(a[1], "\x00"), []byte("?")))}
		keyType, ok := number(a[2])
		switch {
		case !ok:
		case keyType == keyTypeRSA:
			info.set(rsaPublic(a[5], a[6]))
		default:
			info.set(reader.ecPublic(keyType, a[3], a[4]))
		}
		return info
	}, attributeID, attributeLabel, attributeKeyType, attributeECParams, attributeECPoint, attributeModulus, attributeExponent)
}
