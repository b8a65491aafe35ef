package hsm

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// What is done to a token before it is in use: it is made new, its PINs are set. Every PIN reaches the token once, and the
// octets are wiped; where few tries are left, only if somebody insists. A module is given as much time as it takes, but a
// caller who gives up gets its context's error at once; what became of the PIN is then not known.

// maxTokenLabel is the length of CK_TOKEN_INFO.label.
const maxTokenLabel = 32

// administer does something to one token that nobody uses meanwhile.
func (m *Module) administer(ctx context.Context, of Selection, pins [][]byte, do func(Slot) error) error {
	wipe := func() {
		for _, pin := range pins {
			clear(pin)
		}
	}
	slot, err := m.find(of)
	if err != nil {
		wipe()
		return err
	}
	name := slot.Token.Serial
	if name == "" { // not initialised yet
		name = fmt.Sprintf("slot %d", slot.ID)
	}
	if err := m.take(name); err != nil {
		wipe()
		return err
	}
	done := make(chan error, 1)
	go func() {
		err := do(slot)
		wipe()
		m.leave(name)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NewToken is what a token becomes. A token that is initialised already must have the security officer's PIN that stands here.
type NewToken struct {
	Label         string // 1 to 32 bytes
	Officer, User []byte // PINs
}

// Initialise makes a token new; everything that was on it is destroyed. Errors: hsm.label, hsm.new-pin, hsm.so-pin-wrong,
// hsm.so-pin-low, hsm.so-pin-locked, hsm.token-not-found, hsm.token-ambiguous, hsm.token-in-use, hsm.device.
func (m *Module) Initialise(ctx context.Context, of Selection, n NewToken, insist bool) error {
	return m.administer(ctx, of, [][]byte{n.Officer, n.User}, func(slot Slot) error {
		if n.Label == "" || len(n.Label) > maxTokenLabel || !utf8.ValidString(n.Label) {
			return ErrLabel.With("%d", len(n.Label))
		}
		for _, pin := range [][]byte{n.Officer, n.User} {
			if err := slot.Token.fits(pin); err != nil {
				return err
			}
		}
		if err := slot.Token.mayTryOfficer(insist); err != nil {
			return err
		}
		if err := m.c.InitToken(slot.ID, n.Officer, n.Label); err != nil {
			return officerFault(err)
		}
		slot.Token.SOPINLow, slot.Token.SOPINFinalTry = false, false // it was right
		return m.asOfficer(slot, n.Officer, insist, func(h handle) error { return newPINFault(m.c.InitPIN(h, n.User)) })
	})
}

// NewPINs are what Unlock sets: the user's PIN, and, where it is not empty, another one for the security officer.
type NewPINs struct{ User, Officer []byte }

// Unlock sets the user's PIN anew, by the PIN of the security officer: the first one, or one after too many wrong tries.
// With NewPINs.Officer that PIN is changed in the same login, after the user's; when that fails the answer is
// hsm.so-pin-kept, and doing the same again is right. Other errors as those of Initialise.
func (m *Module) Unlock(ctx context.Context, of Selection, soPIN []byte, set NewPINs, insist bool) error {
	return m.administer(ctx, of, [][]byte{soPIN, set.User, set.Officer}, func(slot Slot) error {
		if err := slot.Token.fits(set.User); err != nil {
			return err
		}
		if len(set.Officer) > 0 {
			if err := slot.Token.fits(set.Officer); err != nil {
				return err
			}
		}
		return m.asOfficer(slot, soPIN, insist, func(h handle) error {
			if err := m.c.InitPIN(h, set.User); err != nil {
				return newPINFault(err)
			}
			if len(set.Officer) == 0 {
				return nil
			}
			if err := m.c.SetPIN(h, soPIN, set.Officer); err != nil {
				return ErrSOPINKept.With("%v", err).Because(err)
			}
			return nil
		})
	})
}

// ChangeOfficerPIN changes the PIN of the security officer. Errors as those of Initialise.
func (m *Module) ChangeOfficerPIN(ctx context.Context, of Selection, old, pin []byte, insist bool) error {
	return m.administer(ctx, of, [][]byte{old, pin}, func(slot Slot) error {
		if err := slot.Token.fits(pin); err != nil {
			return err
		}
		return m.asOfficer(slot, old, insist, func(h handle) error { return newPINFault(m.c.SetPIN(h, old, pin)) })
	})
}

// ChangePIN changes the user's PIN, which takes the old one. Errors: hsm.new-pin, hsm.pin-wrong, hsm.pin-low, hsm.pin-locked,
// hsm.pin-unset, hsm.token-not-found, hsm.token-ambiguous, hsm.token-in-use, hsm.device.
func (m *Module) ChangePIN(ctx context.Context, of Selection, old, pin []byte, insist bool) error {
	return m.administer(ctx, of, [][]byte{old, pin}, func(slot Slot) error {
		switch {
		case slot.Token.PINLocked:
			return ErrPINLocked.New()
		case !slot.Token.PINSet:
			return ErrPINUnset.New()
		case (slot.Token.PINLow || slot.Token.PINFinalTry) && !insist:
			return ErrPINLow.New()
		}
		if err := slot.Token.fits(pin); err != nil {
			return err
		}
		h, err := m.c.OpenSession(slot.ID, true)
		if err != nil {
			return deviceFault(err)
		}
		defer m.c.CloseSession(h) //nolint:errcheck // nothing is done in it any more
		// In a session without a login this is the user's PIN (PKCS#11 2.40, 11.6 C_SetPIN), and the token judges the old one.
		err = m.c.SetPIN(h, old, pin)
		switch {
		case answered(err, rvPINIncorrect):
			return ErrPINWrong.Because(err)
		case answered(err, rvPINLocked):
			return ErrPINLocked.Because(err)
		case answered(err, rvPINExpired, rvPINNotInitialized):
			return ErrPINUnset.Because(err)
		}
		return newPINFault(err)
	})
}

// asOfficer logs the security officer in, once, for something.
func (m *Module) asOfficer(slot Slot, pin []byte, insist bool, do func(handle) error) error {
	if err := slot.Token.mayTryOfficer(insist); err != nil {
		return err
	}
	h, err := m.c.OpenSession(slot.ID, true)
	if err != nil {
		return deviceFault(err)
	}
	// The login ends with the last session, and this program has no other one on a token that nobody uses.
	defer m.c.CloseAllSessions(slot.ID) //nolint:errcheck // nothing is done in them any more
	if err := m.c.LoginOfficer(h, pin); err != nil {
		return officerFault(err)
	}
	return do(h)
}

// mayTryOfficer is asked before a PIN of the security officer is spent. Before it is initialised a token has none: some say then
// that it is locked.
func (i *TokenInfo) mayTryOfficer(insist bool) error {
	switch {
	case !i.Initialised:
	case i.SOPINLocked:
		return ErrSOPINLocked.New()
	case (i.SOPINLow || i.SOPINFinalTry) && !insist:
		return ErrSOPINLow.New()
	}
	return nil
}

// fits refuses a new PIN before an old one is spent on it.
func (i *TokenInfo) fits(pin []byte) error {
	most := orElse(i.MaxPIN, 255)
	if len(pin) < max(i.MinPIN, 1) || len(pin) > most {
		return ErrNewPIN.With("%d … %d", max(i.MinPIN, 1), most)
	}
	return nil
}

func officerFault(err error) error {
	switch {
	case answered(err, rvPINIncorrect, rvPINInvalid, rvPINLength):
		return ErrSOPINWrong.Because(err)
	case answered(err, rvPINLocked):
		return ErrSOPINLocked.Because(err)
	}
	return deviceFault(err)
}

func newPINFault(err error) error {
	if answered(err, rvPINInvalid, rvPINLength) {
		return ErrNewPIN.Because(err)
	}
	return deviceFault(err)
}
