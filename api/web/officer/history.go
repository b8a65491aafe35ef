package officer

import (
	"fmt"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
)

// didWords are what was done, in words that follow the name of who did it.
var didWords = map[enroll.Step]string{
	enroll.StepCreate: "began the application", enroll.StepSubmit: "handed it in", enroll.StepRecall: "took it back as a draft", enroll.StepGather: "gathered it into a batch",
	enroll.StepRelease: "took it out of its batch", enroll.StepReceive: "received it", enroll.StepOriginal: "recorded the arrival of the original",
	enroll.StepInk: "checked the original: its imprints are of wet ink", enroll.StepConfirm: "let a finding pass", enroll.StepReturn: "sent it back", enroll.StepExamine: "examined it and asked for approval",
	enroll.StepApprove: "approved it", enroll.StepReject: "rejected it", enroll.StepIssue: "carried out all that was approved; acceptance is next", enroll.StepAccept: "accepted certificates and seals",
	enroll.StepAbort: "gave it up; what was not carried out lapses", enroll.StepObject: "objected", enroll.StepSettle: "accepted certificates and seals after the objection", enroll.StepClose: "closed it",
	enroll.StepWithdraw: "withdrew it", enroll.StepUnmask: "looked at personal data", enroll.StepPrint: "printed the form", enroll.StepView: "looked at a scan",
}

// passedWords are what happened by itself.
var passedWords = map[enroll.Step]string{
	enroll.StepLapse: "not decided in time, to be examined anew", enroll.StepSilence: "no objection within the term: certificates and seals count as accepted", enroll.StepExpire: "nothing was done for long: it expired",
	enroll.StepIssue: "all that was approved is carried out; acceptance is next",
}

var editedWords = map[string]string{"form": "changed the form", "agreement": "accepted the agreement", "attachment": "added a scan", "attachment-removed": "took away a scan", "roster": "imported the roster of users"}

// told is a history as its readers read it.
func told(history []enroll.Line, language string) []string {
	list := make([]string, len(history))
	for i, l := range history {
		if list[i] = l.Sentence(); language == "en" {
			list[i] = sentence(l)
		}
	}
	return list
}

// sentence is a line in English: when, who, what, why.
func sentence(l enroll.Line) string {
	who, what := l.Name, didWords[l.Step]
	switch {
	case l.Actor == "":
		who, what = "the service", passedWords[l.Step]
	case l.Organisation != "":
		who += " (" + l.Organisation + ")"
	}
	if l.Step == enroll.StepEdit {
		what = editedWords[l.Particular("what")]
	}
	text := web.Minute(l.At) + " · " + who + ": " + what + particulars(l)
	var why []string
	if l.Reason != "" {
		why = append(why, l.Reason)
	}
	for _, r := range l.Remarks {
		if r.Field != "" {
			why = append(why, fieldLabel(r.Field, "en")+": "+r.Reason)
		} else {
			why = append(why, r.Reason)
		}
	}
	if len(why) > 0 {
		text += ", because: " + strings.Join(why, "; ")
	}
	return text + "."
}

// particulars are the numbers that belong to a step.
func particulars(l enroll.Line) string {
	kind := attachmentWords.of(l.Particular("kind"), "en")
	switch p := l.Particular; {
	case l.Step == enroll.StepOriginal:
		return " (" + p("on") + ", delivery " + p("delivery") + ")"
	case l.Step == enroll.StepConfirm:
		_, field, _ := strings.Cut(p("finding"), "@")
		return " (" + fieldLabel(field, "en") + ")"
	case l.Step == enroll.StepEdit && p("agreement") != "":
		return " (version " + p("agreement") + ")"
	case l.Step == enroll.StepEdit && p("persons") != "":
		return fmt.Sprintf(" (people: %s, draft %d)", p("persons"), l.Version)
	case l.Step == enroll.StepView && p("page") != "":
		return ": " + kind + ", from page " + p("page")
	case kind != "":
		return ": " + kind
	case l.Step == enroll.StepEdit:
		return fmt.Sprintf(" (draft %d)", l.Version)
	}
	return ""
}
