package command

import (
	"context"
	"fmt"

	"yinxin/internal/access"
	"yinxin/keystore"
)

type keystoreListCommand struct {
	enrollFlags
	Check bool `help:"Activate the tokens of the configuration, and have each key on them sign a test value."`
}

// Help is printed by --help.
func (keystoreListCommand) Help() string {
	return "Which keys there are, what for, and where each is: in the keystore's files, or on a token. An administrator's or an auditor's act. " +
		"Without --check no token is touched. Exit status: 0; 1 with --check when a token or a key on one cannot be used."
}

// keystoreListJSON is what keystore list --json prints.
type keystoreListJSON struct {
	Keys   []heldKeyJSON `json:"keys"`
	Tokens []deviceJSON  `json:"tokens"`
}

type heldKeyJSON struct {
	Name        string           `json:"name"`
	Purpose     keystore.Purpose `json:"purpose"`
	State       keystore.State   `json:"state"`
	Fingerprint string           `json:"fingerprint"`
	Token       string           `json:"token,omitempty"` // empty: in the keystore's files
	Check       string           `json:"check,omitempty"` // good, or the code of what was wrong
}

// deviceJSON is a token of the configuration. State is not-tried, in-use, or the code of what was wrong.
type deviceJSON struct {
	Name     string             `json:"name"`
	Module   string             `json:"module"`
	Profile  string             `json:"profile"`
	Label    string             `json:"label,omitempty"`
	Serial   string             `json:"serial,omitempty"`
	Purposes []keystore.Purpose `json:"purposes,omitempty"`
	Keys     int                `json:"keys"`
	State    string             `json:"state"`
}

const (
	checkGood   = "good"
	deviceIdle  = "not-tried"
	deviceInUse = "in-use"
)

func (c keystoreListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if err := k.needs(access.RoleAdministrator, access.RoleAuditor); err != nil {
			return err
		}
		list, good, err := k.heldKeys(ctx, c.Check)
		if err != nil {
			return err
		}
		if k.json {
			err = printJSON(s, list)
		} else {
			err = list.print(s)
		}
		if err == nil && !good {
			err = exit{exitFailed}
		}
		return err
	})
}

// heldKeys lists keys and tokens. good is false when something that was checked cannot be used.
func (h *installation) heldKeys(ctx context.Context, check bool) (list keystoreListJSON, good bool, err error) {
	list, good = keystoreListJSON{Keys: []heldKeyJSON{}, Tokens: []deviceJSON{}}, true
	all, err := h.keys.List(ctx)
	if err != nil {
		return list, false, err
	}
	held := map[string]int{}
	for _, info := range all {
		one := heldKeyJSON{Name: info.Name, Purpose: info.Purpose, State: info.State, Fingerprint: keystore.FingerprintOf(info.Public).String(), Token: info.Token}
		if info.Token != "" && info.State != keystore.StateDestroyed {
			held[info.Token]++
		}
		if check && info.Token != "" {
			one.Check = checkGood
			if err := h.keys.Check(ctx, info.Name); err != nil {
				one.Check, good = explain(err).Code, false
			}
		}
		list.Keys = append(list.Keys, one)
	}
	for _, d := range h.devices {
		t := d.setting
		one := deviceJSON{Name: t.Name, Module: t.Module, Profile: t.Profile, Label: t.Label, Serial: t.Serial, Purposes: t.Purposes, Keys: held[t.Name], State: deviceIdle}
		if check {
			_, _ = d.give(ctx) // active says how it went
		}
		token, failed := d.active()
		switch {
		case token != nil:
			one.State, one.Label, one.Serial = deviceInUse, visible(token.Info().Label), visible(token.Info().Serial)
		case failed != nil:
			one.State, good = explain(failed).Code, false
		}
		list.Tokens = append(list.Tokens, one)
	}
	return list, good, ctx.Err()
}

var (
	purposeWords = map[keystore.Purpose]string{keystore.PurposeRoot: "根 CA root", keystore.PurposeIssuing: "签发证书 issuing", keystore.PurposeSealMaker: "制章 seal maker",
		keystore.PurposeSealing: "签章 sealing", keystore.PurposeOCSP: "OCSP", keystore.PurposeTSA: "时间戳 time stamps", keystore.PurposeLedger: "日志 ledger"}
	keyStateWords = map[keystore.State]string{keystore.StateActive: "有效 active", keystore.StateSuspended: "停用 suspended", keystore.StateDestroyed: "已销毁 destroyed"}
)

func (l keystoreListJSON) print(s streams) error {
	w := newTable(s.out)
	for _, k := range l.Keys {
		purpose := purposeWords[k.Purpose]
		if purpose == "" {
			purpose = string(k.Purpose)
		}
		place := "密钥库 keystore"
		if k.Token != "" {
			place = "密码设备 token " + k.Token
		}
		w.row(k.Name, purpose, keyStateWords[k.State], k.Fingerprint, place, checkWord(k.Check))
	}
	if err := w.flush(); err != nil || len(l.Tokens) == 0 {
		return err
	}
	fmt.Fprintln(s.out, "密码设备 tokens:")
	w = newTable(s.out)
	for _, t := range l.Tokens {
		state := checkWord(t.State)
		switch t.State {
		case deviceIdle:
			state = "未启用 not tried"
		case deviceInUse:
			state = "✔ 在用 in use"
		}
		w.row("  "+t.Name, t.Label, t.Serial, t.Profile, fmt.Sprintf("%d 个密钥 keys", t.Keys), state)
	}
	return w.flush()
}

func checkWord(check string) string {
	switch check {
	case "":
		return ""
	case checkGood:
		return "✔"
	}
	return "✘ " + check
}
