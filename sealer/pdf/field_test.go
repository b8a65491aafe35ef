package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"yinxin/internal/fault"
)

// signedBy makes a file whose only signature is the dictionary given; "HEX" in it is the contents, and %d stands for
// start and end of the gap and for the length after it.
func signedBy(dict string) []byte {
	objects := onePage("")
	objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>>>"
	objects = append(objects, "<</FT/Sig/T(A)/V 5 0 R>>", "SIGNATURE", "[0 1 2 3]")
	build := func(start, end, rest int) []byte {
		text := strings.NewReplacer("START", fmt.Sprintf("%06d", start), "END", fmt.Sprintf("%06d", end),
			"REST", fmt.Sprintf("%06d", rest)).Replace(dict)
		objects[4] = text
		return file{objects: objects}.bytes()
	}
	data := build(0, 0, 0)
	at := bytes.Index(data, []byte("/Contents")) + len("/Contents")
	end := at + bytes.IndexByte(data[at:], '>') + 1
	return build(at, end, len(data)-end)
}

func TestOnlyAnHonestByteRangeIsAccepted(t *testing.T) {
	good := "/ByteRange[0 START END REST]/Contents<30030201>"
	cases := []struct{ name, dict, code string }{
		{"honest", "<<" + good + ">>", ""},
		{"a range that ends before the file does", "<</ByteRange[0 START END 000003]/Contents<30030201>>>", ""},
		{"missing", "<</Contents<30030201>>>", "pdf.bad-byte-range"},
		{"null", "<</ByteRange null/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"indirect", "<</ByteRange 6 0 R/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"two numbers", "<</ByteRange[0 START]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"six numbers", "<</ByteRange[0 START END 000001 END REST]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"negative", "<</ByteRange[0 START END -REST]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"not integers", "<</ByteRange[0 START END REST.0]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"an indirect number", "<</ByteRange[0 START END 6 0 R]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"not from the first byte", "<</ByteRange[1 START END REST]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"no gap", "<</ByteRange[0 END END REST]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"a gap too wide", "<</ByteRange[0 000099 END REST]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"a gap without its bracket", "<</ByteRange[0 START REST REST]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"beyond the file", "<</ByteRange[0 START END 999999]/Contents<30030201>>>", "pdf.bad-byte-range"},
		{"twice", "<</ByteRange[0 1 2 3]" + good + ">>", "pdf.bad-byte-range"},
		{"another key twice", "<<" + good + "/Filter/A/Filter/A>>", "pdf.bad-byte-range"},
		{"contents missing", "<</ByteRange[0 START END REST]/Content<30>/Contents null>>", "pdf.bad-contents"},
		{"contents empty", "<</ByteRange[0 START END REST]/Contents<>>>", "pdf.bad-contents"},
		{"contents in parentheses", "<</ByteRange[0 START END REST]/Contents(0300>)>>", "pdf.bad-contents"},
		{"white space in the contents", "<</ByteRange[0 START END REST]/Contents<3003 0201>>>", "pdf.bad-contents"},
		{"an odd digit in the contents", "<</ByteRange[0 START END REST]/Contents<3003020>>>", "pdf.bad-contents"},
		{"contents of a dictionary inside", "<</ByteRange[0 START END REST]/Prop<</Contents<30030201>>>>>", "pdf.bad-contents"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			fields, err := opened(t, signedBy(c.dict)).SignatureFields(context.Background())
			if err != nil || len(fields) != 1 {
				t.Fatalf("%v, %v", fields, err)
			}
			_, err = fields[0].ByteRange()
			if c.code == "" && err != nil || c.code != "" && fault.CodeOf(err) != c.code {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}

func TestASignatureInAnObjectStreamHasNoByteRange(t *testing.T) {
	// The update is a cross-reference stream that moves the signature into an object stream.
	data := signedBy("<</ByteRange[0 START END REST]/Contents<30030201>>>")
	start := opened(t, data).Sections()[0].Start
	inner := "5 0 <</ByteRange[0 100 110 50]/Contents<30030201>>>"
	objects := len(data)
	stream := fmt.Sprintf("7 0 obj\n<</Type/ObjStm/N 1/First 4/Length %d>>\nstream\n%s\nendstream\nendobj\n", len(inner), inner)
	xref := objects + len(stream)
	rows := []byte{2, 0, 0, 0, 7, 0, 1, 0, 0, byte(objects >> 8), byte(objects), 0, 1, 0, 0, byte(xref >> 8), byte(xref), 0}
	data = append(data, stream...)
	data = fmt.Appendf(data, "8 0 obj\n<</Type/XRef/Size 9/Root 1 0 R/W[1 4 1]/Index[5 1 7 2]/Prev %d/Length %d>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n",
		start, len(rows), rows, xref)
	fields, err := opened(t, data).SignatureFields(context.Background())
	if err != nil || len(fields) != 1 || fields[0].Dict == nil {
		t.Fatalf("%v, %v", fields, err)
	}
	if _, err := fields[0].ByteRange(); fault.CodeOf(err) != "pdf.bad-contents" || len(fields[0].Problems) == 0 {
		t.Errorf("%v, problems %q", err, fields[0].Problems)
	}
}

func TestFieldsInheritAndAreNamedInFull(t *testing.T) {
	objects := onePage("")
	objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R 4 0 R 9 0 R 10 0 R]>>>>"
	objects = append(objects,
		"<</T(Outer)/FT/Sig/Kids[5 0 R 6 0 R 4 0 R]>>",
		"<</T(One)/Parent 4 0 R/V 8 0 R>>",
		"<</T(Two)/Parent 4 0 R/Kids[7 0 R]>>",
		"<</Type/Annot/Subtype/Widget/Parent 6 0 R>>",
		"<</Type/Sig/ByteRange[0 1 2 3]/Contents<00>>>",
		"<</T(Text)/FT/Tx/V(x)>>",
		"<</T(Direct)/FT/Sig/V<</Type/Sig/Contents<01>>>>>")
	data := file{objects: objects}.bytes()
	fields, err := opened(t, data).SignatureFields(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, fmt.Sprint(f.Name, " ", f.Field, " ", f.Widgets, " ", f.Value, " ", f.Dict != nil))
	}
	want := "Outer.One 5 0 R [5 0 R] 8 0 R true;Outer.Two 6 0 R [7 0 R] 0 0 R false;Direct 10 0 R [10 0 R] 0 0 R true"
	if strings.Join(got, ";") != want {
		t.Errorf("fields %q, want %q", got, want)
	}
	if s := fields[2]; string(data[s.DictStart:s.DictEnd]) != "<</Type/Sig/Contents<01>>>" {
		t.Errorf("the direct signature stands at %q", data[s.DictStart:s.DictEnd])
	}
}

func TestASignatureThatNoFieldRefersToIsAnOrphan(t *testing.T) {
	sealed := seal(t, file{objects: onePage("")}.bytes(), request(t))
	orphans, err := opened(t, sealed).OrphanSignatures(context.Background())
	if err != nil || len(orphans) != 0 {
		t.Fatalf("%v, %v", orphans, err)
	}
	fields, err := opened(t, sealed).SignatureFields(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	emptied := appendUpdate(t, sealed, "", fmt.Sprintf("%d 0 obj <</FT/Sig/T(A)>> endobj", fields[0].Field.Num))
	orphans, err = opened(t, emptied).OrphanSignatures(context.Background())
	if err != nil || len(orphans) != 1 || orphans[0].Value != fields[0].Value {
		t.Fatalf("%v, %v", orphans, err)
	}
	if _, err := orphans[0].ByteRange(); err != nil {
		t.Errorf("%v", err)
	}
	// A grant of usage rights is a producer's licence for its own reader, no signature of a person.
	granted := appendUpdate(t, emptied, "", fmt.Sprintf("1 0 obj <</Type/Catalog/Pages 2 0 R/Perms<</UR3 %d 0 R>>>> endobj", fields[0].Value.Num))
	if orphans, err = opened(t, granted).OrphanSignatures(context.Background()); err != nil || len(orphans) != 0 {
		t.Errorf("usage rights: %v, %v", orphans, err)
	}
}
