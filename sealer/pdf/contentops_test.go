package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

// said writes operators and operands down, one operator a line.
func said(t testing.TB, content string) string {
	t.Helper()
	var b strings.Builder
	var write func(o pdf.Operand)
	write = func(o pdf.Operand) {
		switch o.Kind {
		case pdf.OperandNumber:
			fmt.Fprintf(&b, "%g ", o.Number)
		case pdf.OperandName:
			fmt.Fprintf(&b, "/%s ", o.Text)
		case pdf.OperandString:
			fmt.Fprintf(&b, "(%s)%d ", o.Text, o.Length)
		case pdf.OperandArray:
			b.WriteString("[")
			for _, e := range o.Items {
				write(e)
			}
			b.WriteString("] ")
		case pdf.OperandDict:
			fmt.Fprintf(&b, "dict%d ", len(o.Dict))
		default:
			b.WriteString("? ")
		}
	}
	err := pdf.EachOperator(context.Background(), []byte(content), func(operator []byte, operands []pdf.Operand) error {
		for _, o := range operands {
			write(o)
		}
		fmt.Fprintf(&b, "%s\n", operator)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOperatorsAreReadWithTheirOperands(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{"q 1 0 0 -1.5 .25 +7 cm Q", "q\n1 0 0 -1.5 0.25 7 cm\nQ\n"},
		{"--5 1.2.3 9e5 w", "-5 1.2 9 w\n"},
		{"/F1 12 Tf(a\\)b\\101(c))Tj", "/F1 12 Tf\n(a\\)b\\101(c))7 Tj\n"},
		{"<48 65>Tj<4>Tj", "(48 65)3 Tj\n(4)1 Tj\n"},
		{"[(a)-20[1 [2] 3](b)]TJ[4]0 d", "[(a)1 -20 [1 [2 ] 3 ] (b)1 ] TJ\n[4 ] 0 d\n"},
		{"/OC<</A 1/B[(x)]>>BDC EMC", "/OC dict2 BDC\nEMC\n"},
		{"BI/W 1/H 1 ID \x01EI\xff EI \x80\nEI Q", "dict2 BI\nQ\n"},
		{"% comment ) \n1 g", "1 g\n"},
		{"(never closed", ""},
		{"] > } 3 g", "? ? ? 3 g\n"},
		{"true null /A sc", "? ? /A sc\n"},
		{"BI /W 1 ID", "dict1 BI\n"},
		{"<< /A", ""},
		{strings.Repeat("[", 100) + " 1 w", ""},
	} {
		if got := said(t, c.content); got != c.want {
			t.Errorf("%.60q:\n%swant\n%s", c.content, got, c.want)
		}
	}
}

func FuzzEachOperator(f *testing.F) {
	f.Add([]byte("q [(a)1[<41>]]TJ /X Do BI /W 1 ID \x00 EI << /A [1] >> BDC (\\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		count := 0
		_ = pdf.EachOperator(context.Background(), data, func(_ []byte, operands []pdf.Operand) error {
			count++
			for _, o := range operands {
				if o.Length > len(data) || len(o.Items) > len(data) {
					t.Fatal("an operand is longer than the content")
				}
			}
			return nil
		})
		if count > len(data) {
			t.Fatalf("%d operators in %d bytes", count, len(data))
		}
	})
}

// TestEachPageIsEveryPage compares the walk with looking every page up.
func TestEachPageIsEveryPage(t *testing.T) {
	for _, shape := range []fixtures.Shape{fixtures.ShapeTable, fixtures.ShapeInheritedNested, fixtures.ShapeEveryGeometry, fixtures.ShapeDeepTree, fixtures.ShapeObjectStreams} {
		data, err := fixtures.PDF(shape, fixtures.PDFOptions{Pages: 30})
		if err != nil {
			t.Fatal(err)
		}
		d := opened(t, data)
		n := 0
		err = d.EachPage(context.Background(), func(p pdf.Page, resources pdf.Object) error {
			n++
			want, err := d.Page(n)
			if err != nil {
				return err
			}
			if p.Ref != want.Ref || p.Number != n || p.MediaBox != want.MediaBox || p.CropBox != want.CropBox || p.Rotate != want.Rotate {
				t.Errorf("%s: page %d is %+v, want %+v", shape, n, p, want)
			}
			if o, err := d.Resolve(resources); err != nil || o == nil {
				t.Errorf("%s: page %d has no resources (%v)", shape, n, err)
			}
			return nil
		})
		if err != nil || n != 30 {
			t.Errorf("%s: %d pages, %v", shape, n, err)
		}
	}
	for _, damage := range []fixtures.Damage{fixtures.DamageTreeCycle, fixtures.DamageParentCycle, fixtures.DamageMissingPage, fixtures.DamageTreeNegative} {
		data, err := fixtures.Damaged(damage, 1)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		_ = opened(t, data).EachPage(context.Background(), func(pdf.Page, pdf.Object) error { n++; return nil })
		if n > 2 {
			t.Errorf("%s: %d pages", damage, n)
		}
	}
}

func TestAStrayObjectIsFoundWhereverItStands(t *testing.T) {
	data, err := fixtures.PDF(fixtures.Shapes()[0], fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	end := data[bytes.LastIndex(data, []byte("startxref")):]
	for at := 128<<10 - 45; at < 128<<10+5; at++ { // across the end of the first piece that is looked through
		padded := append(bytes.Clone(data), bytes.Repeat([]byte("%\n"), (at-len(data))/2+1)...)
		padded = append(padded[:at-1], "\n77777 0 obj\n<</A 1>>\nendobj\n"...)
		found, complete, err := opened(t, append(padded, end...)).StrayObjects(context.Background(), 1<<30)
		if err != nil || !complete || len(found) != 1 || found[0].Offset != int64(at) || found[0].Ref.Num != 77777 {
			t.Errorf("at %d: %v, complete %v, %v", at, found, complete, err)
		}
	}
}

func TestStrayObjectsAreThoseThatNothingLists(t *testing.T) {
	for _, shape := range fixtures.Shapes() {
		data, err := fixtures.PDF(shape, fixtures.PDFOptions{})
		if err != nil {
			t.Fatal(err)
		}
		found, complete, err := opened(t, data).StrayObjects(context.Background(), 1<<30)
		if err != nil || !complete || len(found) != 0 {
			t.Errorf("%s: %v, complete %v, %v", shape, found, complete, err)
		}
	}
	data, err := fixtures.Damaged(fixtures.DamageObjectTwice, 1)
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := opened(t, data).StrayObjects(context.Background(), 1<<30)
	if err != nil || len(found) != 1 || found[0].Ref.Num != 5 {
		t.Errorf("the second page is not found: %v, %v", found, err)
	}
	if _, complete, err := opened(t, data).StrayObjects(context.Background(), 100); complete || err != nil {
		t.Errorf("a search of 100 bytes says that it is complete (%v)", err)
	}
}
