package command

import (
	"bytes"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/view"
)

// The worker is this program under the name of the command.
func TestPagesAreShownByAnotherProcessOfThisProgram(t *testing.T) {
	v, err := newViewer(t.TempDir(), nil, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	data, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Render(t.Context(), bytes.NewReader(data), int64(len(data)), 1, 72)
	if err != nil || p.Width != 596 || p.Height != 842 {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := v.Find(t.Context(), bytes.NewReader(data), int64(len(data)), view.Query{Text: "印章"}); fault.CodeOf(err) != "view.not-found" {
		t.Error(err)
	}
}

func TestTheWorkerIsNoCommandForPersons(t *testing.T) {
	var out bytes.Buffer
	if status := Main([]string{"--help"}, nil, &out, &out); status != exitDone || bytes.Contains(out.Bytes(), []byte(viewWorkerName)) {
		t.Errorf("%d: %s", status, &out)
	}
}
