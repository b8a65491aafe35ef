package command

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/ca/renewal"
	"yinxin/internal/fault"
)

type renewalsCommand struct {
	List    renewalsListCommand    `cmd:"" help:"List certificates whose end is near, with what was done about them."`
	Waiting renewalsWaitingCommand `cmd:"" help:"List renewals that wait for their holder's acceptance, or the end of the term."`
	Accept  renewalsAcceptCommand  `cmd:"" help:"Put a renewal into use because its holder agrees."`
	Object  renewalsObjectCommand  `cmd:"" help:"Keep a renewal from being used because its holder objects. Without --yes nothing is changed."`
}

type renewalsListCommand struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	Days     int    `help:"All that end within so many days, instead of what is due by the policy." default:"-1" placeholder:"N"`
	JSON     bool   `name:"json" help:"Print as JSON: a list with one object per certificate."`
}

// Help is printed by --help.
func (renewalsListCommand) Help() string {
	return "Certificates without a successor, the earliest end first; those that ended stay for 30 days. Central seals are renewed by the service, holders of USB Keys are reminded. Exit status: 0, or 1 when there is an alarm or the list could not be read."
}

func (c renewalsListCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.list(ctx, s))
}

func (c renewalsListCommand) list(ctx context.Context, s streams) error {
	if c.Days < -1 || c.Days > 3660 {
		return errFlag.At(fault.Field("--days"))
	}
	h, err := openForReading(ctx, c.Data, c.Database, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	others, err := h.backends(ctx)
	if err != nil {
		return err
	}
	r := renewal.New(renewal.Config{Others: others, DB: h.db, Authority: h.authority, Clock: s.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Policy: h.config.Renewals})
	var list []renewal.Due
	if c.Days >= 0 {
		list, err = r.Within(ctx, s.now(), c.Days)
	} else {
		list, err = r.Due(ctx, s.now())
	}
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s, renewalsJSON(list))
	} else {
		err = printRenewals(s, list)
	}
	for _, d := range list {
		if err == nil && len(d.Alarms) > 0 {
			return exit{exitFailed}
		}
	}
	return err
}

// renewalJSON is one certificate of the list.
type renewalJSON struct {
	Serial         string           `json:"serial"`
	Holder         renewal.Holder   `json:"holder"`
	Profile        string           `json:"profile"`
	Organisation   string           `json:"organisation"`
	Name           string           `json:"name"`
	NotAfter       time.Time        `json:"not_after"`
	Days           int              `json:"days"`
	Held           bool             `json:"held"`
	RenewableUntil time.Time        `json:"renewable_until,omitzero"`
	Reminders      []int            `json:"reminders,omitempty"`
	Attempt        *renewal.Attempt `json:"attempt,omitempty"`
	Alarms         []renewal.Alarm  `json:"alarms,omitempty"`
}

func renewalsJSON(list []renewal.Due) []renewalJSON {
	all := make([]renewalJSON, 0, len(list))
	for _, d := range list {
		all = append(all, renewalJSON{Serial: ca.SerialText(d.Serial), Holder: d.Holder, Profile: string(d.Profile), Organisation: d.Organisation,
			Name: d.CommonName, NotAfter: d.NotAfter, Days: d.Days, Held: d.Held, RenewableUntil: d.RenewableUntil, Reminders: d.Reminders,
			Attempt: d.Attempt, Alarms: d.Alarms})
	}
	return all
}

var holderWords = map[renewal.Holder]string{renewal.Central: "集中式印章 central seal", renewal.Key: "Key 用户 Key holder",
	renewal.Encryption: "加密证书 encryption", renewal.Own: "机构自身 own",
	renewal.Elsewhere: "集中式印章（其他机构签发） central seal, other authority"}

var reasonWords = map[renewal.Reason]string{renewal.ReasonFailed: "更新失败 renewal failed",
	renewal.ReasonApprovalOver: "原审批满五年，需重新申请 original approval over, apply anew", renewal.ReasonCeremony: "需人工签发 to be issued by hand",
	renewal.ReasonElsewhere: "其他机构尚未签发，可重新申请 not issued by the other authority: apply anew",
	renewal.ReasonCarry:     "须送交其他机构或确认差异 to be carried to the other authority, or to be accepted"}

func printRenewals(s streams, list []renewal.Due) error {
	if len(list) == 0 {
		fmt.Fprintln(s.out, "没有临近到期的证书。 No certificate is near its end.")
	}
	w := newTable(s.out)
	for _, d := range list {
		w.row(moment(d.NotAfter), fmt.Sprintf("剩 %d 天 days", d.Days), holderWords[d.Holder], d.Organisation, d.CommonName,
			ca.SerialText(d.Serial), strings.Join(remarks(d), "；"))
	}
	return w.flush()
}

// remarks are what was done about a certificate, and what keeps it.
func remarks(d renewal.Due) (list []string) {
	if d.Held {
		list = append(list, "已冻结 on hold")
	}
	for _, a := range d.Alarms {
		list = append(list, reasonWords[a.Reason])
	}
	if a := d.Attempt; a != nil && a.Outcome != "" {
		text := fmt.Sprintf("第 %d 次更新 attempt %d: %s", a.Number, a.Number, a.Outcome)
		if a.Failure != "" {
			text += ", " + a.Failure
		}
		if !a.Next.IsZero() {
			text += ", 下次 next " + moment(a.Next)
		}
		list = append(list, text)
	}
	if n := len(d.Reminders); n > 0 {
		words := make([]string, n)
		for i, days := range d.Reminders {
			words[i] = strconv.Itoa(days)
		}
		list = append(list, "已提醒 reminded at "+strings.Join(words, ", "))
	}
	return list
}
