package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"yinxin/internal/fault"
)

var spec = fault.Spec{Kind: fault.Refused, Code: "test.refused", ZH: "不行。", EN: "No."}

func TestAFaultSpeaksBothLanguagesAndNamesThePlace(t *testing.T) {
	f := spec.At(fault.Page(3)).With("%d mm", 42)
	if got := f.Sentence("zh"); got != "不行。（42 mm；第 3 页）" {
		t.Errorf("zh: %s", got)
	}
	if got := f.Sentence("en"); got != "No. (42 mm; page 3)" {
		t.Errorf("en: %s", got)
	}
}

func TestADetailInWordsHasBothLanguages(t *testing.T) {
	f := spec.Saying("右边超出 5 毫米", "5 mm over the right edge").At(fault.Place{Page: 2, Object: "7 0 R"})
	if got := f.Sentence("zh"); got != "不行。（右边超出 5 毫米；第 2 页，对象 7 0 R）" {
		t.Errorf("zh: %s", got)
	}
	if got := f.Sentence("en"); got != "No. (5 mm over the right edge; page 2, object 7 0 R)" || f.Detail() != "5 mm over the right edge" {
		t.Errorf("en: %s", got)
	}
}

func TestTheCauseIsForTheLogOnly(t *testing.T) {
	f := spec.Because(errors.New("inner secret"))
	if strings.Contains(f.Sentence("zh")+f.Sentence("en"), "secret") {
		t.Error("the cause reached the person")
	}
	if !strings.Contains(f.Error(), "inner secret") {
		t.Error("the cause is missing in the log")
	}
}

func TestAWrappedFaultIsFoundAndCopiesDoNotChangeTheOriginal(t *testing.T) {
	f := spec.New()
	placed := f.At(fault.Field("name"))
	err := fmt.Errorf("around: %w", placed)
	found, ok := fault.Of(err)
	if !ok || found.Place.Field != "name" || fault.CodeOf(err) != "test.refused" || !fault.Has(err, spec) || !errors.Is(err, spec.New()) {
		t.Errorf("%v %v", found, ok)
	}
	if f.Place != (fault.Place{}) {
		t.Error("At changed its receiver")
	}
	if fault.CodeOf(errors.New("other")) != "internal" || fault.Has(nil, spec) {
		t.Error("what is no fault has no code of its own")
	}
}

func TestAReasonIsTheCodeAndTheDetailWithoutTheCause(t *testing.T) {
	spec := fault.Spec{Kind: fault.Unavailable, Code: "test.reason", ZH: "甲。", EN: "A."}
	secret := errors.New("password=1")
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""}, {secret, ""},
		{spec.Because(secret), ": test.reason"},
		{fmt.Errorf("wrapped: %w", spec.With("HTTP %d", 404).Because(secret)), ": test.reason HTTP 404"},
	} {
		if got := fault.Reason(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestAFaultSaysWhenToTryAgain(t *testing.T) {
	f := spec.With("x").RetryIn(3 * time.Second).At(fault.Page(1))
	if f.RetryAfter() != 3*time.Second || spec.New().RetryAfter() != 0 {
		t.Errorf("%v", f.RetryAfter())
	}
}
