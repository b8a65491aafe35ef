package command

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/text/encoding/simplifiedchinese"

	"yinxin/internal/fault"
	"yinxin/sealer/imprint"
)

var (
	errSizes = fault.Spec{Kind: fault.Invalid, Code: "imprint.bad-sizes",
		ZH: "尺寸表有误；每行应为：文件名,尺寸（如 42 或 40x30）,形状（可省略：圆形、椭圆形、方形、无边框）。", EN: "The table of sizes is not right; each line is a file name, a size (42 or 40x30) and, where known, a shape (round, ellipse, rectangle, frameless)."}
	errResults = fault.Spec{Kind: fault.Conflict, Code: "imprint.not-the-table",
		ZH: "同名文件不是本命令写的结果表，不会被替换。", EN: "There is a file of this name that is not a table of results; it is not replaced."}
)

// The columns of the table of results. It is CSV in UTF-8 with a byte order mark: Excel and WPS open it by a double click,
// any program reads it, and the next run does, too. A workbook would need one of those programs.
const (
	columnForm       = "文件"
	columnVerdict    = "结论"
	columnTemplate   = "模板"
	columnSize       = "申报尺寸（毫米）"
	columnShape      = "形状"
	columnMeasured   = "实测尺寸（毫米）"
	columnDifference = "相差（毫米）"
	columnAngle      = "倾斜（度）"
	columnDPI        = "分辨率（dpi）"
	columnUsed       = "采用印模数"
	columnDeviation  = "轮廓偏差（毫米）"
	columnReasons    = "说明"
	columnCode       = "错误代码"
	columnScan       = "扫描件SM3"
	columnPNG        = "模板SM3"
	columnParameters = "参数"
)

var firstColumns = []string{columnForm, columnVerdict, columnTemplate, columnSize, columnShape, columnMeasured, columnDifference, columnAngle, columnDPI, columnUsed, columnDeviation}
var lastColumns = []string{columnReasons, columnCode, columnScan, columnPNG, columnParameters}

// verdictFailed stands in the table where no template could be made at all.
const verdictFailed = "failed"

// maxTable is the largest table that is read, in bytes: a hundred thousand forms.
const maxTable = 64 << 20

// resultRow is a row of the table by column.
type resultRow map[string]string

// processed identifies what a row was made of.
type processed struct{ digest, parameters string }

// stands reports whether a row of an earlier run still says what is: the same scan, the same options and method, and every
// file that is asked for there, the template unchanged.
func (r resultRow) stands(p processed, o outputs) bool {
	if r == nil || r[columnVerdict] == verdictFailed || r[columnScan] != p.digest || r[columnParameters] != p.parameters {
		return false
	}
	for _, f := range o.named() {
		if r[columnTemplate] == "" && !isForJudging(f.flag) {
			continue
		}
		if _, err := os.Stat(f.name); err != nil {
			return false
		}
	}
	if r[columnTemplate] == "" {
		return true
	}
	b, err := os.ReadFile(o.template)
	return err == nil && digestText(b) == r[columnPNG]
}

func digestText(b []byte) string {
	sum := sm3.Sum(b)
	return hex.EncodeToString(sum[:])
}

// rowOf is the row of a form of which a template was made, good enough or not.
func rowOf(j job, m made, p processed) resultRow {
	v := m.Measures
	measured := fixed(v.Width, 2)
	if v.Shape != imprint.Round {
		measured += "x" + fixed(v.Height, 2)
	}
	row := resultRow{columnForm: j.form, columnVerdict: string(m.Verdict), columnSize: j.size, columnShape: string(v.Shape),
		columnMeasured:   measured,
		columnDifference: fixed(v.SizeDifference, 2), columnAngle: fixed(v.Angle, 2), columnDPI: fixed(v.Scale.X, 0), columnUsed: strconv.Itoa(v.Fused),
		columnScan: p.digest, columnParameters: p.parameters}
	if m.Acceptable() {
		row[columnTemplate], row[columnPNG] = filepath.Base(j.outputs.template), digestText(m.Template)
	}
	if m.vector != nil {
		row[columnDeviation] = fixed(m.vector.Measures.MaxDeviation, 3)
	}
	var reasons []string
	for _, g := range m.Gates {
		row[gateColumn(g)] = strconv.FormatFloat(g.Value, 'g', 4, 64)
		if g.Verdict != imprint.Usable {
			reasons = append(reasons, g.ZH)
		}
	}
	row[columnReasons] = strings.Join(reasons, " ")
	return row
}

// gateColumn is the column of a gate's value.
func gateColumn(g imprint.Gate) string { return g.Name + "（" + g.Unit + "）" }

// fixed is a number with so many digits behind the point, and no sign before zero.
func fixed(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// failedRow is the row of a form that no template could be made of.
func failedRow(form string, f *fault.Fault) resultRow {
	return resultRow{columnForm: form, columnVerdict: verdictFailed, columnReasons: f.Sentence("zh"), columnCode: f.Code}
}

// resultTable is the table of a batch: rows of this run and of earlier ones.
type resultTable struct {
	name  string
	gates []string // columns of gates, in the order in which they came
	rows  map[string]resultRow
}

// openResults reads the table of an earlier run; there need be none. Errors: imprint.not-the-table, those of reading.
func openResults(name string) (*resultTable, error) {
	t := &resultTable{name: name, rows: map[string]resultRow{}}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	data, err := readAtMost(name, maxTable, errResults.At(fault.File(name)))
	if err != nil {
		return nil, err
	}
	other := errResults.At(fault.File(name))
	if !bytes.HasPrefix(data, byteOrderMark) {
		return nil, other
	}
	records, err := csv.NewReader(bytes.NewReader(data[len(byteOrderMark):])).ReadAll()
	if err != nil || len(records) == 0 {
		return nil, other.Because(err)
	}
	head := records[0]
	for _, c := range slices.Concat(firstColumns, lastColumns) {
		if !slices.Contains(head, c) {
			return nil, other
		}
	}
	for _, record := range records[1:] {
		row := resultRow{}
		for i, cell := range record {
			row[head[i]] = plain(cell)
		}
		t.set(row)
	}
	return t, nil
}

// row is that of a form, nil where there is none.
func (t *resultTable) row(form string) resultRow { return t.rows[form] }

func (t *resultTable) set(row resultRow) {
	t.rows[row[columnForm]] = row
	var more []string
	for c := range row {
		if !slices.Contains(firstColumns, c) && !slices.Contains(lastColumns, c) && !slices.Contains(t.gates, c) {
			more = append(more, c)
		}
	}
	slices.Sort(more)
	t.gates = append(t.gates, more...)
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// write writes the whole table, by name of form.
func (t *resultTable) write(ctx context.Context) error {
	var out bytes.Buffer
	out.Write(byteOrderMark)
	w := csv.NewWriter(&out)
	w.UseCRLF = true // RFC 4180
	gates := slices.Sorted(slices.Values(t.gates))
	head := slices.Concat(firstColumns, gates, lastColumns)
	if err := w.Write(head); err != nil {
		return err
	}
	var forms []string
	for f := range t.rows {
		forms = append(forms, f)
	}
	slices.Sort(forms)
	for _, f := range forms {
		record := make([]string, len(head))
		for i, c := range head {
			record[i] = harmless(t.rows[f][c])
		}
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return writeBytes(ctx, t.name, 0o644, out.Bytes())
}

// harmless keeps a spreadsheet from calculating a cell: names of files come from outside. Numbers stay numbers.
func harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r'", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}

// plain is what harmless was given.
func plain(cell string) string { return strings.TrimPrefix(cell, "'") }

// parametersOf is everything besides the scan that a template depends on.
func parametersOf(o imprint.Options) string {
	return fmt.Sprintf("%s %gx%g shape=%s polarity=%s colour=%s dpi=%g page=%d", imprint.Version, o.Width, o.Height, o.Shape, o.Polarity, o.Colour, o.DPI, o.Page)
}

// sizeTable says what is declared of the seal on each form.
type sizeTable map[string]declared

// shapeWords are how people write the shapes of seals, besides as the flag takes them.
var shapeWords = map[string]imprint.Shape{"": imprint.AnyShape, "圆": imprint.Round, "圆形": imprint.Round, "椭圆": imprint.Ellipse, "椭圆形": imprint.Ellipse,
	"方": imprint.Rectangle, "方形": imprint.Rectangle, "长方形": imprint.Rectangle, "矩形": imprint.Rectangle, "无框": imprint.Frameless, "无边框": imprint.Frameless,
	string(imprint.Round): imprint.Round, string(imprint.Ellipse): imprint.Ellipse, string(imprint.Rectangle): imprint.Rectangle, string(imprint.Frameless): imprint.Frameless}

// readSizes reads a table of sizes: name,size or name,size,shape in each line, by commas, semicolons or tabs, in UTF-8 or as Excel in China
// writes it (GB 18030). A first line that has no size is a heading. Error: imprint.bad-sizes with the line.
func readSizes(name string) (sizeTable, error) {
	data, err := readAtMost(name, maxTable, errSizes.At(fault.File(name)))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	if !utf8.Valid(data) {
		if data, err = simplifiedchinese.GB18030.NewDecoder().Bytes(data); err != nil {
			return nil, errSizes.At(fault.File(name)).Because(err)
		}
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	first, _, _ := bytes.Cut(data, []byte("\n"))
	for _, separator := range ";\t" {
		if bytes.ContainsRune(first, separator) && !bytes.ContainsRune(first, ',') {
			r.Comma = separator
		}
	}
	records, err := r.ReadAll()
	if err != nil {
		return nil, errSizes.At(fault.File(name)).Because(err)
	}
	sizes := sizeTable{}
	for i, record := range records {
		wrong := errSizes.At(fault.File(name)).Sayingf("第 %d 行", "line %d", i+1)
		if len(record) < 2 {
			return nil, wrong
		}
		form, d := filepath.Base(strings.TrimSpace(record[0])), declared{size: strings.TrimSpace(record[1])}
		if _, _, err := parseSize(d.size); err != nil {
			if i == 0 {
				continue
			}
			return nil, wrong
		}
		if len(record) > 2 {
			shape, ok := shapeWords[strings.ToLower(strings.TrimSpace(record[2]))]
			if !ok {
				return nil, wrong
			}
			d.shape = string(shape)
		}
		if old, twice := sizes[form]; twice && old != d {
			return nil, wrong
		}
		sizes[form] = d
	}
	return sizes, nil
}

// of is what is declared of a form: of its page, or of all pages of its scan.
func (t sizeTable) of(f batchForm) declared {
	if d, ok := t[f.name]; ok {
		return d
	}
	return t[filepath.Base(f.path)]
}

// unknown are the names in the table that no form has.
func (t sizeTable) unknown(forms []batchForm) []string {
	var names []string
	for name := range t {
		if !slices.ContainsFunc(forms, func(f batchForm) bool { return f.name == name || filepath.Base(f.path) == name }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
