package client_test

import (
	"context"
	"io"
	"log"
	"os"
	"strings"
	"testing"

	"yinxin/api"
	"yinxin/api/client"
)

// sealOne is the example of docs/api.md.
func sealOne(ctx context.Context, in *os.File, out io.Writer) error {
	c, err := client.New("https://seal.example", os.Getenv("YINXIN_API_KEY"))
	if err != nil {
		return err
	}
	ctx = client.WithProgress(ctx, func(p client.Progress) { log.Printf("%d of %d bytes", p.Done, p.Total) })
	key := client.Key() // kept with the case: after a crash the same key gives the same result
	terms := api.SealingTerms{Seal: "29010000000017", Placement: &api.Placement{Page: -1, From: "bottom-right", X: 25, Y: 30}}
	sealing, err := c.SealFile(ctx, key, "copy.pdf", in, terms, out)
	if err != nil {
		return err // code and sentences of the server
	}
	log.Print("sealed as ", sealing)
	return nil
}

var _ = sealOne

func TestTheExampleOfTheDocumentationIsTheOneThatCompiles(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(source), "out io.Writer) error {\n")
	body, _, _ = strings.Cut(body, "\treturn nil\n")
	if shown := "    " + strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(body, "\n\t", "\n    "), "\t", "    "), "    "); !strings.Contains(string(document), shown) || len(body) < 100 {
		t.Errorf("docs/api.md does not have\n%s", shown)
	}
}
