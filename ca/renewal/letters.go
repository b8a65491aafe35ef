package renewal

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"text/template"

	"yinxin/ca"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/mail"
)

// The sources of mails, for mail.Mailer.Source: s.Reminder and s.Alarm compose them.
const (
	SourceReminder = "renewal"
	SourceAlarm    = "renewal-alarm"
)

// The mails name the institution, the certificate and its end; no person.
var reminderText = template.Must(template.New("").Parse(`
{{- define "subject"}}印章用户证书将于 {{.End}} 到期{{end}}
{{- define "text"}}您好：

{{.Organisation}} 的一张印章用户证书（USB Key）将于 {{.End}} 到期，还有 {{.Days}} 天。到期后不能再用这个 Key 盖章。

证书序列号：{{.Serial}}

如需继续使用，请在到期前通过所在单位提出更新申请。已经申请的，请忽略本邮件。

本邮件由系统自动发出，请勿回复。
{{end}}`))

var alarmText = template.Must(template.New("").Parse(`
{{- define "subject"}}【需要处理】证书 {{.Name}} 将于 {{.End}} 到期{{end}}
{{- define "text"}}您好：

{{.Why}}

单位：{{.Organisation}}
证书名称：{{.Name}}
证书序列号：{{.Serial}}
到期时间：{{.End}}
{{- if .Failure}}
原因：{{.Failure}}
{{- end}}

查看全部待处理的证书：yinxin renewals list

本邮件由系统自动发出，请勿回复。
{{end}}`))

var why = map[Reason]string{
	ReasonFailed:       "一枚集中式印章的证书没有更新成功，系统会继续重试。请检查原因，以免印章在证书到期后无法使用。",
	ReasonApprovalOver: "一枚集中式印章的证书已不能按原审批更新（原审批满五年）。请由该单位重新提交申请，经两人审批后签发新证书。",
	ReasonElsewhere:    "一枚集中式印章的证书由其他电子认证机构签发，即将到期，至今没有更新。请与该机构联系；无法更新的，请由该单位及早重新提交申请，经两人审批后向该机构申请新证书。",
	ReasonCarry:        "一枚集中式印章的证书由其他电子认证机构签发，即将到期，更新申请已备好，须由人办理：导出申请文件送交该机构并导入签发的证书（yinxin ca orders），或由两人确认证书内容的差异。",
	ReasonCeremony:     "证书机构自身的一张证书即将到期，系统不会自动更新。请安排两人签发新证书。",
}

// facts are what a mail is written from.
type facts struct {
	Organisation, Name, Serial, End, Why, Failure string
	Days                                          int
}

func (s *Service) facts(e ca.Expiry) facts {
	return facts{Organisation: oneLine(e.Organisation), Name: oneLine(e.CommonName), Serial: serialText(e.Serial),
		End: civil.Minute(e.NotAfter), Days: daysLeft(e.NotAfter.Sub(s.Clock()))}
}

// oneLine keeps a name within its line: names come from certificates, whose text may hold anything.
func oneLine(name string) string { return strings.Join(strings.Fields(name), " ") }

// Reminder composes the mail of a reminder: mail.Compose. It is moot when the certificate has a successor, was taken back or
// has ended, and when nobody knows an address.
func (s *Service) Reminder(ctx context.Context, id string) (mail.Message, error) {
	e, err := s.of(ctx, `SELECT serial FROM renewal_reminder WHERE id = $1`, id)
	if err != nil {
		return mail.Message{}, err
	}
	if s.Contacts == nil || !e.NotAfter.After(s.Clock()) {
		return mail.Message{}, mail.ErrMoot
	}
	address, err := s.Contacts.Address(ctx, e.Serial)
	if err != nil {
		return mail.Message{}, err
	}
	if address == "" {
		return mail.Message{}, mail.ErrMoot
	}
	subject, text, err := mail.Render(reminderText, s.facts(e))
	return mail.Message{To: address, Subject: subject, Text: text}, err
}

// Alarm composes the mail of an alarm to one administrator: mail.Compose. It is moot when the certificate has a successor or
// was taken back.
func (s *Service) Alarm(ctx context.Context, id string) (mail.Message, error) {
	alarm, place, _ := strings.Cut(id, ".")
	n, err := strconv.Atoi(place)
	if err != nil || n < 0 || n >= len(s.Administrators) { // there are fewer administrators by now
		return mail.Message{}, mail.ErrMoot
	}
	e, err := s.of(ctx, `SELECT serial FROM renewal_alarm WHERE id = $1`, alarm)
	if err != nil {
		return mail.Message{}, err
	}
	f := s.facts(e)
	var reason Reason
	if err := s.DB.Read().QueryRowContext(ctx, `SELECT reason, failure FROM renewal_alarm WHERE id = $1`, alarm).Scan((*string)(&reason), &f.Failure); err != nil {
		return mail.Message{}, err
	}
	f.Why = why[reason]
	subject, text, err := mail.Render(alarmText, f)
	return mail.Message{To: s.Administrators[n], Subject: subject, Text: text}, err
}

// of finds the certificate that a row is about: mail.ErrMoot when there is nothing to say about it any more.
func (s *Service) of(ctx context.Context, query, id string) (ca.Expiry, error) {
	var serial string
	err := s.DB.Read().QueryRowContext(ctx, query, id).Scan(&serial)
	if errors.Is(err, sql.ErrNoRows) {
		return ca.Expiry{}, mail.ErrMoot
	}
	if err != nil {
		return ca.Expiry{}, err
	}
	number, err := ca.ParseSerial(serial)
	if err != nil {
		return ca.Expiry{}, err
	}
	e, err := s.Authority.Expiry(ctx, number)
	if fault.Has(err, ca.ErrNotFound) {
		return ca.Expiry{}, mail.ErrMoot
	}
	return e, err
}
