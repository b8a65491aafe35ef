package hsm

// Bare gives the floor of measurements: a function that signs by nothing but C_SignInit and C_Sign, in a session of its own that
// one caller uses at a time and that ends with the token. There is no waiting, no second try and no look at the answer. The token
// must be logged in. Nothing else has a use for it.
func (k *Key) Bare() (sign func(digest []byte) ([]byte, error), err error) {
	t := k.token
	t.lock.Lock()
	slot := t.slot
	t.lock.Unlock()
	h, err := t.c.OpenSession(slot, false)
	if err != nil {
		return nil, deviceFault(err)
	}
	object, err := find(session{c: t.c, handle: h}, Selector{ID: k.info.ID, Label: k.info.Label})
	if err != nil {
		_ = t.c.CloseSession(h)
		return nil, deviceFault(err)
	}
	how := t.config.Profile.sign
	return func(digest []byte) ([]byte, error) {
		signature, err := t.c.Sign(h, object, how, digest)
		return signature, deviceFault(err)
	}, nil
}
