package command

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/renewal"
	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/ledger"
)

type caStatusCommand struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	JSON     bool   `name:"json" help:"Print it as JSON."`
}

// Help is printed by --help.
func (caStatusCommand) Help() string {
	return "Needs no passphrase. Exit status: 0 nothing needs attention, 3 something does (each is named), 1 failed."
}

// authorityStatus is what ca status --json prints.
type authorityStatus struct {
	At             string            `json:"at"`
	BaseURL        string            `json:"base_url"`
	Infrastructure []memberStatus    `json:"infrastructure"`
	Lists          []listStatus      `json:"crls"`
	Counts         []ca.Count        `json:"certificates"`
	Waiting        int               `json:"changes_waiting_for_a_crl"`
	Pending        int               `json:"half_issued"` // intents without a result now
	Failed         int               `json:"voided"`      // serial numbers voided after an interruption or a failure
	Anchors        int               `json:"anchors"`
	Attention      []attentionStatus `json:"attention"`
}

// memberStatus is one certificate of the infrastructure.
type memberStatus struct {
	Profile  ca.Profile `json:"profile"`
	CA       string     `json:"ca,omitempty"` // the issuing CA itself, or for which the responder answers
	Subject  string     `json:"subject"`
	Serial   string     `json:"serial"`
	Key      string     `json:"key"`
	NotAfter string     `json:"not_after"`
	DaysLeft int        `json:"days_left"`
	State    string     `json:"state"`
}

// listStatus is one revocation list.
type listStatus struct {
	Issuer     string `json:"issuer"`
	Number     int64  `json:"number"`
	Entries    int    `json:"entries"`
	ThisUpdate string `json:"this_update"`
	NextUpdate string `json:"next_update"`
	AgeSeconds int64  `json:"age_seconds"`
	Expired    bool   `json:"expired"`
}

// attentionStatus is something that somebody should look after.
type attentionStatus struct {
	What string `json:"what"`
	ZH   string `json:"zh"`
	EN   string `json:"en"`
}

// The margins of attention: how long before its end something is named.
const (
	marginCA      = 365 * 24 * time.Hour
	marginMember  = 60 * 24 * time.Hour
	marginRootCRL = 30 * 24 * time.Hour
)

func (c caStatusCommand) Run(ctx context.Context, s streams) error {
	status, err := c.gather(ctx, s)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	if c.JSON {
		err = printJSON(s, status)
	} else {
		status.print(s)
	}
	if err == nil && len(status.Attention) > 0 {
		return exit{exitRefused}
	}
	return err
}

func (c caStatusCommand) gather(ctx context.Context, s streams) (authorityStatus, error) {
	now := s.now()
	status := authorityStatus{At: moment(now), Attention: []attentionStatus{}}
	h, err := openForReading(ctx, c.Data, c.Database, s.now)
	if err != nil {
		return status, err
	}
	defer h.close()
	status.BaseURL = h.config.BaseURL
	o, err := h.authority.Overview(ctx)
	if err != nil {
		return status, err
	}
	status.Counts, status.Waiting, status.Pending, status.Failed = o.Counts, o.Waiting, o.Pending, o.Failed
	status.member(ca.ProfileRoot, "", h.authority.Root(), now, nil)
	for _, i := range h.authority.Issuers() {
		status.member(ca.ProfileIssuing, i.ID, i.Certificate, now, nil)
		responder, err := h.authority.Responder(ctx, i.ID)
		if err != nil && !fault.Has(err, ca.ErrNotFound) {
			return status, err
		}
		status.member(ca.ProfileOCSP, i.ID, responder, now, err)
	}
	for _, p := range []ca.Profile{ca.ProfileTSA, ca.ProfileSealMaker} {
		current, err := h.authority.Current(ctx, p)
		if err != nil && !fault.Has(err, ca.ErrNotFound) {
			return status, err
		}
		status.member(p, "", current, now, err)
	}
	if status.Lists, err = h.lists(ctx); err != nil {
		return status, err
	}
	status.judgeLists(now)
	anchors, err := h.authority.ImportedAnchors(ctx)
	if err != nil {
		return status, err
	}
	for _, a := range anchors {
		if !a.Removed.IsZero() {
			continue
		}
		status.Anchors++
		if now.After(a.Certificate.NotAfter) {
			status.attend("anchor", "信任锚已过期："+a.Name, "an imported trust anchor has expired: "+a.Name)
		}
	}
	if err := status.transcript(ctx, h); err != nil {
		return status, err
	}
	if err := status.background(ctx, h); err != nil {
		return status, err
	}
	if status.Pending > 0 {
		status.attend("half-issued", fmt.Sprintf("%d 张证书签发中断，服务启动时作废", status.Pending), fmt.Sprintf("%d certificates are half issued; the service voids them at start", status.Pending))
	}
	return status, nil
}

func (a *authorityStatus) attend(what, zh, en string) {
	a.Attention = append(a.Attention, attentionStatus{what, zh, en})
}

// nameOfMember tells the certificates of several issuing CAs apart.
func nameOfMember(p ca.Profile, id string) string {
	if id == "" || id == ca.FirstIssuer {
		return string(p)
	}
	return string(p) + " " + id
}

// member adds a certificate of the infrastructure; missing says that there is none in force.
func (a *authorityStatus) member(p ca.Profile, id string, c *chain.Certificate, now time.Time, missing error) {
	name := nameOfMember(p, id)
	if missing != nil {
		a.Infrastructure = append(a.Infrastructure, memberStatus{Profile: p, CA: id, State: "missing"})
		a.attend(string(p), "没有有效的证书："+name, "no certificate is in force: "+name)
		return
	}
	left := c.NotAfter.Sub(now)
	m := memberStatus{Profile: p, CA: id, Subject: c.Subject.String(), Serial: c.Serial.Text(16), Key: keyFingerprint(c).String(), NotAfter: moment(c.NotAfter),
		DaysLeft: int(left / (24 * time.Hour)), State: "good"}
	margin := marginMember
	if p == ca.ProfileRoot || p == ca.ProfileIssuing {
		margin = marginCA
	}
	switch {
	case left < 0:
		m.State = "expired"
		a.attend(string(p), "证书已过期："+name, "the certificate has expired: "+name)
	case left < margin:
		m.State = "expiring"
		a.attend(string(p), fmt.Sprintf("证书 %s 将在 %d 天后过期", name, m.DaysLeft), fmt.Sprintf("the certificate %s expires in %d days", name, m.DaysLeft))
	}
	a.Infrastructure = append(a.Infrastructure, m)
}

// background names renewals that need a person, and work of the service that is late or was given up.
func (a *authorityStatus) background(ctx context.Context, h *installation) error {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	alarms, err := renewal.New(renewal.Config{DB: h.db, Authority: h.authority, Clock: h.now, Log: quiet, Policy: h.config.Renewals}).Alarms(ctx)
	if err != nil {
		return err
	}
	for _, alarm := range alarms {
		serial := ca.SerialText(alarm.Serial)
		a.attend("renewal", "证书更新须人工处理："+serial, "the renewal of a certificate needs a person: "+serial+" ("+reasonWords[alarm.Reason]+")")
	}
	j, err := jobs.New(jobs.Config{DB: h.db, Clock: h.now, Log: quiet})
	if err != nil {
		return err
	}
	defer j.Close()
	schedules, err := j.Schedules(ctx)
	if err != nil {
		return err
	}
	for _, p := range schedules {
		if p.Late(h.now()) {
			a.attend("late", "周期性任务逾期："+p.Name, "periodic work is late: "+p.Name+" (last success "+moment(p.Succeeded)+")")
		}
	}
	failed, err := j.List(ctx, jobs.Filter{States: []jobs.State{jobs.StateFailed}})
	if err != nil {
		return err
	}
	if len(failed) > 0 {
		a.attend("jobs", fmt.Sprintf("有 %d 个后台任务失败：yinxin jobs list", len(failed)), fmt.Sprintf("%d background jobs failed: yinxin jobs list", len(failed)))
	}
	return nil
}

// transcript compares the transcript of the ceremony with the digest that the ledger has of it.
func (a *authorityStatus) transcript(ctx context.Context, h *installation) error {
	recorded, err := ledger.OfKind(ctx, h.db.Read(), "ceremony.transcript", 1)
	if err != nil || len(recorded) == 0 { // founded before there were transcripts
		return err
	}
	text, err := os.ReadFile(filepath.Join(h.dir, ceremonyName, transcriptJSON))
	if errors.Is(err, fs.ErrNotExist) {
		a.attend("transcript", "缺少密钥仪式的记录", "the transcript of the ceremony is missing")
		return nil
	}
	if err != nil {
		return err
	}
	sum := sm3.Sum(text)
	if hex.EncodeToString(sum[:]) != recorded[0].Data["sm3"] {
		a.attend("transcript", "密钥仪式的记录与日志中的摘要不符", "the transcript of the ceremony is not the one that the ledger knows")
	}
	return nil
}

func (a *authorityStatus) judgeLists(now time.Time) {
	for i, l := range a.Lists {
		next, err := time.Parse(time.RFC3339, l.NextUpdate)
		if err != nil {
			continue
		}
		a.Lists[i].Expired = !now.Before(next)
		switch {
		case a.Lists[i].Expired:
			a.attend("crl", "撤销列表已过期："+l.Issuer, "the revocation list has expired: "+l.Issuer)
		case l.Issuer == string(ca.ProfileRoot) && next.Sub(now) < marginRootCRL:
			a.attend("crl", "根撤销列表即将过期，请离线签发", "the root's revocation list is about to expire; have the offline root sign a new one")
		}
	}
}

// lists are the newest revocation lists.
func (h *installation) lists(ctx context.Context) ([]listStatus, error) {
	published, err := h.authority.Lists(ctx)
	if err != nil {
		return nil, err
	}
	list := []listStatus{}
	for _, p := range published {
		list = append(list, listStatus{Issuer: p.Issuer, Number: p.Number, Entries: p.Entries, ThisUpdate: moment(p.ThisUpdate), NextUpdate: moment(p.NextUpdate),
			AgeSeconds: int64(h.now().Sub(p.ThisUpdate) / time.Second)})
	}
	return list, nil
}

func (a authorityStatus) print(s streams) {
	fmt.Fprintf(s.out, "%s  %s\n", a.At, a.BaseURL)
	for _, m := range a.Infrastructure {
		fmt.Fprintf(s.out, "  %-10s %-8s %s，剩 %d 天 days left，密钥 key %s\n", nameOfMember(m.Profile, m.CA), m.State, m.Subject, m.DaysLeft, m.Key)
	}
	for _, l := range a.Lists {
		fmt.Fprintf(s.out, "  CRL %-7s %d：%d 项 entries，%s – %s\n", l.Issuer, l.Number, l.Entries, l.ThisUpdate, l.NextUpdate)
	}
	for _, c := range a.Counts {
		fmt.Fprintf(s.out, "  %-12s %-8s %d\n", c.Profile, c.State, c.Number)
	}
	fmt.Fprintf(s.out, "  待发布的状态变更 changes waiting for a CRL: %d；导入的信任锚 anchors: %d；作废的序列号 voided serials: %d\n", a.Waiting, a.Anchors, a.Failed)
	if len(a.Attention) == 0 {
		fmt.Fprintln(s.out, "✔ 无需处理 nothing needs attention")
	}
	for _, n := range a.Attention {
		fmt.Fprintf(s.out, "✘ %s %s\n", n.ZH, n.EN)
	}
}
