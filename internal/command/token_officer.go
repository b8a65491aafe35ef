package command

import (
	"context"
	"fmt"

	"yinxin/hsm"
)

type tokenInitCommand struct {
	tokenFlags
	Label     string `required:"" help:"Label of the token, at most 32 bytes." placeholder:"TEXT"`
	SOPINFile string `name:"so-pin-file" help:"File with the SO PIN; - is standard input." placeholder:"FILE"`
	PINFile   string `name:"pin-file" help:"File with the user PIN; - is standard input." placeholder:"FILE"`
	Insist    bool   `help:"Try the SO PIN although few tries are left."`
	Yes       bool   `help:"Also a token that is initialised already: everything on it is destroyed, and the SO PIN must be the one that it has."`
}

// Help is printed by --help.
func (tokenInitCommand) Help() string {
	return "Asks for the SO PIN, then for the user PIN. A slot that holds a new token is named by --token slot:N. " +
		"Where a registrar takes the token into custody afterwards (yinxin enroll token register), the SO PIN that this prints is set with yinxin token pin --so."
}

func (c tokenInitCommand) Run(ctx context.Context, s streams) error {
	return c.with(s, func(m *hsm.Module) error {
		slot, err := c.find(m, true)
		if err != nil {
			return err
		}
		if slot.Token.Initialised && !c.Yes {
			return errTokenInitialised.With("%s", slot.Token.Label)
		}
		if err := mayTryOfficer(slot, c.Insist); err != nil {
			return err
		}
		ask := newPINs(s)
		read := ask.askNew
		if slot.Token.Initialised {
			read = ask.ask // the present one: a slip is better noticed by the token than typed twice
		}
		officer, err := read(ctx, c.SOPINFile, askSOPIN)
		if err != nil {
			return err
		}
		defer clear(officer)
		user, err := ask.askNew(ctx, c.PINFile, askNewPIN)
		if err != nil {
			return err
		}
		defer clear(user)
		if err := m.Initialise(ctx, selection(slot), hsm.NewToken{Label: c.Label, Officer: officer, User: user}, c.Insist); err != nil {
			return err
		}
		return c.printToken(s, m, slot.ID)
	})
}

// atSlot is the token in a slot as it is now.
func atSlot(m *hsm.Module, id uint) (hsm.Slot, error) {
	slots, err := m.Slots()
	if err != nil {
		return hsm.Slot{}, err
	}
	for _, slot := range slots {
		if slot.ID == id && slot.Token != nil {
			return slot, nil
		}
	}
	return hsm.Slot{}, hsm.ErrRemoved.New()
}

// printToken says what a token is after something was done to it.
func (f moduleFlags) printToken(s streams, m *hsm.Module, slot uint) error {
	now, err := atSlot(m, slot)
	if err != nil {
		return err
	}
	if f.JSON {
		return printJSON(s, slotOf(now))
	}
	_, err = fmt.Fprintf(s.out, "✔ %s  %s\n", visible(now.Token.Label), visible(now.Token.Serial))
	return err
}

type tokenPINCommand struct {
	tokenFlags
	SO         bool   `name:"so" help:"The PIN of the security officer."`
	PINFile    string `name:"pin-file" help:"File with the present PIN; - is standard input." placeholder:"FILE"`
	NewPINFile string `name:"new-pin-file" help:"File with the new PIN; - is standard input." placeholder:"FILE"`
	Insist     bool   `help:"Try the PIN although few tries are left."`
}

// Help is printed by --help.
func (tokenPINCommand) Help() string {
	return "Asks for the present PIN, then for the new one. The present one reaches the token once."
}

func (c tokenPINCommand) Run(ctx context.Context, s streams) error {
	return c.with(s, func(m *hsm.Module) error {
		slot, err := c.find(m, false)
		if err != nil {
			return err
		}
		may, change, old, set := mayTry, m.ChangePIN, askPIN, askNewPIN
		if c.SO {
			may, change, old, set = mayTryOfficer, m.ChangeOfficerPIN, askSOPIN, askNewSOPIN
		}
		if err := may(slot, c.Insist); err != nil {
			return err
		}
		ask := newPINs(s)
		present, err := ask.ask(ctx, c.PINFile, old)
		if err != nil {
			return err
		}
		defer clear(present)
		next, err := ask.askNew(ctx, c.NewPINFile, set)
		if err != nil {
			return err
		}
		if err := change(ctx, selection(slot), present, next, c.Insist); err != nil {
			return err
		}
		return c.printToken(s, m, slot.ID)
	})
}

type tokenUnlockCommand struct {
	tokenFlags
	SOPINFile     string `name:"so-pin-file" help:"File with the SO PIN that the token has; - is standard input." placeholder:"FILE"`
	NextSOPINFile string `name:"next-so-pin-file" help:"File with the SO PIN that replaces it; - is standard input." placeholder:"FILE"`
	PINFile       string `name:"pin-file" help:"File with the new user PIN; - is standard input." placeholder:"FILE"`
	KeepSO        bool   `name:"keep-so" help:"The SO PIN is nobody else's and stays: no second one is asked for."`
	Insist        bool   `help:"Try the SO PIN although few tries are left."`
}

// Help is printed by --help.
func (tokenUnlockCommand) Help() string {
	return "Asks for the SO PIN, for the one that replaces it, and for the new user PIN, in this order. " +
		"Of a token in custody, an approved application for Key 解锁 releases both SO PINs, once: yinxin enroll token release. When this has set the second one, the officer records it: yinxin enroll token confirm. " +
		"hsm.so-pin-kept says that only the user PIN was set: the same call again does the rest."
}

func (c tokenUnlockCommand) Run(ctx context.Context, s streams) error {
	return c.with(s, func(m *hsm.Module) error {
		slot, err := c.find(m, false)
		if err != nil {
			return err
		}
		if err := mayTryOfficer(slot, c.Insist); err != nil {
			return err
		}
		ask := newPINs(s)
		officer, err := ask.ask(ctx, c.SOPINFile, askSOPIN)
		if err != nil {
			return err
		}
		defer clear(officer)
		var set hsm.NewPINs
		if !c.KeepSO {
			if set.Officer, err = ask.askNew(ctx, c.NextSOPINFile, askNextSOPIN); err != nil {
				return err
			}
			defer clear(set.Officer)
		}
		if set.User, err = ask.askNew(ctx, c.PINFile, askNewPIN); err != nil {
			return err
		}
		if err := m.Unlock(ctx, selection(slot), officer, set, c.Insist); err != nil {
			return err
		}
		if err := c.printToken(s, m, slot.ID); err != nil || c.JSON || c.KeepSO {
			return err
		}
		_, err = fmt.Fprintf(s.out, "请登记员确认 the officer confirms: yinxin enroll token confirm %s\n", visible(slot.Token.Serial))
		return err
	})
}

type tokenLoginCommand struct{ userFlags }

// Help is printed by --help.
func (tokenLoginCommand) Help() string {
	return "Exit status: 0 the PIN is right and every SM2 key of the profile signs; 1 it is wrong, or something failed; 3 a key did not pass its self-test."
}

// loginJSON is what token login --json prints.
type loginJSON struct {
	Serial string          `json:"serial"`
	Label  string          `json:"label"`
	Keys   []testedKeyJSON `json:"keys"`
}

type testedKeyJSON struct {
	tokenKeyJSON
	Good  bool   `json:"good"`
	Error string `json:"error,omitempty"` // code
}

func (c tokenLoginCommand) Run(ctx context.Context, s streams) error {
	return c.in(ctx, s, func(t *hsm.Token) error {
		keys, err := t.Keys(ctx)
		if err != nil {
			return err
		}
		answer := loginJSON{Serial: visible(t.Info().Serial), Label: visible(t.Info().Label), Keys: []testedKeyJSON{}}
		good := true
		for _, key := range keys {
			tested := testedKeyJSON{tokenKeyJSON: tokenKeyOf(key), Good: true}
			if _, err := t.Key(ctx, hsm.Selector{ID: key.ID, Label: key.Label}); err != nil {
				tested.Good, tested.Error, good = false, explain(err).Code, false
			}
			answer.Keys = append(answer.Keys, tested)
		}
		if c.JSON {
			err = printJSON(s, answer)
		} else {
			err = answer.print(s)
		}
		if err == nil && !good {
			err = exit{exitRefused}
		}
		return err
	})
}

func (a loginJSON) print(s streams) error {
	fmt.Fprintf(s.out, "✔ PIN 正确 the PIN is right: %s  %s\n", a.Label, a.Serial)
	w := newTable(s.out)
	for _, k := range a.Keys {
		state := "✔ 可签名 signs"
		if !k.Good {
			state = "✘ " + k.Error
		}
		w.row("  "+k.ID, k.Label, k.Algorithm, state)
	}
	return w.flush()
}
