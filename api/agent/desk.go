package agent

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

// Desk is where a person sits. Its methods are called one at a time. When the context ends they return its error and take
// away what they showed.
type Desk interface {
	// Agree shows what is to be sealed and asks whether it shall be.
	Agree(ctx context.Context, q Question) (Answer, error)
	// AgreeLogin shows who wants to sign in where and asks whether it is the person at the terminal.
	AgreeLogin(ctx context.Context, q LoginQuestion) (Answer, error)
	// PIN asks for a PIN; agent.declined when none is given. Whoever gets the octets wipes them.
	PIN(ctx context.Context, q PINQuestion) ([]byte, error)
	// Retry says what is wrong and asks whether to try again, once the person has done something about it.
	Retry(ctx context.Context, err error) (bool, error)
	// Tell says what went wrong, or is worth knowing.
	Tell(ctx context.Context, err error)
	// Progress says how far a list is; the last time with Done equal to Total.
	Progress(ctx context.Context, p Progress)
}

// Answer is what a person says to a question. Who goes away, or closes a window, says Later: nothing is refused for good.
type Answer int

// The answers.
const (
	Later Answer = iota
	Yes
	No
)

// Question is what a person agrees to.
type Question struct {
	Origin string // which system asks, for people
	Server string // URL
	Clerk  string
	Items  []Item
	// Folder has the pictures of the pages; First is the one to be looked at first.
	Folder, First string
}

// Item is one file to be sealed, as it was checked.
type Item struct {
	Title       string
	Pages       int
	Bytes       int64
	SM3         string // of the original, hex
	Seal        string // name
	SealCode    string
	Certificate string // whose, and until when
	Marks       string // where the seal stands
	Reason      string // that the signature will state
	Drawn       string // which pages are shown as pictures
	Expires     time.Time
}

// PINQuestion is what a PIN is asked for.
type PINQuestion struct {
	Token      string // label of the USB Key
	What       string // what the PIN is for
	Low, Final bool   // few tries are left, or one
	Why        error  // what the last one came to; nil at first
}

// Progress is how far a list is.
type Progress struct {
	Done, Total int
	Title       string // of the item that ended
	Err         error  // what became of it; nil: sealed
}

// How much is shown of a name and of a sentence, in characters.
const (
	maxShown    = 120
	maxSentence = 600
)

// shown makes a name from elsewhere fit to be looked at.
func shown(text string) string { return plain(text, maxShown) }

// plain makes a text from elsewhere fit to be looked at: one line, nothing that steers a terminal or turns the direction of
// writing, and not too long.
func plain(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	if r := []rune(text); len(r) > most {
		text = string(r[:most-1]) + "…"
	}
	return text
}

// told is a text of lines with names; what has no value has no line.
type told struct{ strings.Builder }

func (t *told) line(zh, en, value string) {
	if value != "" {
		fmt.Fprintf(t, "%s %s: %s\n", zh, en, value)
	}
}

// text is the question about one file, line by line.
func (q Question) text() string {
	var b told
	line := b.line
	line("申请系统", "asked by", q.Origin)
	line("服务器", "server", q.Server)
	line("用印人", "clerk", q.Clerk)
	if len(q.Items) == 1 {
		i := q.Items[0]
		line("文件", "document", i.Title)
		line("页数", "pages", fmt.Sprintf("%d（%d bytes）", i.Pages, i.Bytes))
		line("摘要", "digest", "SM3 "+i.SM3)
		line("印章", "seal", i.Seal+"  "+i.SealCode)
		line("证书", "certificate", i.Certificate)
		line("位置", "place", i.Marks)
		line("事由", "reason", i.Reason)
		line("图片", "pictures", i.Drawn)
		if !i.Expires.IsZero() {
			line("有效至", "until", civilTime(i.Expires))
		}
	} else {
		line("文件数", "files", fmt.Sprint(len(q.Items)))
		line("印章", "seal", strings.Join(q.seals(), "、"))
	}
	return b.String()
}

// seals names the seals of the list, each once.
func (q Question) seals() []string {
	var list []string
	seen := map[string]bool{}
	for _, i := range q.Items {
		if name := i.Seal + " " + i.SealCode; !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	return list
}

// rows are the files of a list, a line each.
func (q Question) rows() []string {
	rows := make([]string, len(q.Items))
	for n, i := range q.Items {
		rows[n] = fmt.Sprintf("%3d. %s  %d 页 pages  %s  %s  SM3 %.16s…", n+1, i.Title, i.Pages, i.Seal, i.Marks, i.SM3)
	}
	return rows
}

// ask says what a list is about to do.
func (q Question) ask() string {
	return fmt.Sprintf("将对以上 %d 份文件盖章；盖章后内容不可修改。同意吗？\nSeal these %d files? They cannot be changed afterwards.", len(q.Items), len(q.Items))
}

// text is the question for a PIN.
func (q PINQuestion) text() string {
	var b strings.Builder
	if q.Why != nil {
		b.WriteString(sentences(q.Why) + "\n")
	}
	switch {
	case q.Final:
		b.WriteString("只剩最后一次机会，再错 PIN 将被锁定。 This is the last try: a wrong PIN locks the token.\n")
	case q.Low:
		b.WriteString("剩余尝试次数不多，输错将锁定。 Few tries are left; wrong ones lock the token.\n")
	}
	fmt.Fprintf(&b, "%s\n请输入 UKey“%s”的 PIN。 PIN of %s", shown(q.What), shown(q.Token), shown(q.Token))
	return b.String()
}

// sentences is an error for a person, in both languages.
func sentences(err error) string {
	f, ok := fault.Of(err)
	if !ok {
		return "出现意外错误。\nSomething failed."
	}
	return plain(f.Sentence("zh"), maxSentence) + "\n" + plain(f.Sentence("en"), maxSentence)
}

// text is a line about an item that ended.
func (p Progress) text() string {
	if p.Err == nil {
		return fmt.Sprintf("[%d/%d] 已盖章 sealed  %s", p.Done, p.Total, p.Title)
	}
	return fmt.Sprintf("[%d/%d] 未盖章 not sealed  %s  %s  %s", p.Done, p.Total, p.Title, shown(fault.CodeOf(p.Err)), strings.ReplaceAll(sentences(p.Err), "\n", " "))
}

func civilTime(t time.Time) string { return t.In(civil.China).Format("2006-01-02 15:04:05") }
