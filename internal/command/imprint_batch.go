package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer/imprint"
)

var (
	errNoForms = fault.Spec{Kind: fault.NotFound, Code: "imprint.no-forms",
		ZH: "文件夹中没有扫描件。", EN: "There are no scans in the folder."}
	errNoSize = fault.Spec{Kind: fault.Invalid, Code: "imprint.no-size",
		ZH: "没有这份扫描件的印章尺寸；请写入尺寸表，或用 --size 指定。", EN: "The size of this form's seal is not known: put it into the table of sizes, or give --size."}
)

// batchWorkers is how many forms are worked on at the same time: a page of A4 at 600 dpi takes about 300 MB.
const batchWorkers = 2

// tableEvery is how often the table is written while a batch runs: what a crash can take back.
const tableEvery = 5 * time.Second

// formEndings are those of files that a batch takes.
var formEndings = []string{".jpg", ".jpeg", ".png", ".tif", ".tiff", ".pdf"}

// job is one form of a batch.
type job struct {
	form string // what it is called in the tables: its name in the folder, with its page where each is a form
	path string
	page int // 0: not said
	declared
	outputs outputs
}

// batch is a folder of forms on its way to a folder of templates.
type batch struct {
	imprintCommand
	s     streams
	font  []byte
	table *resultTable
	start time.Time

	mutex    sync.Mutex
	jobs     []job
	done     int // of jobs, this time
	skipped  int
	shown    []any // for --json, in the order of jobs
	failed   error // what ends the batch: a disk that is full
	tabulate time.Time
}

// batch makes the templates of a folder of forms.
func (c imprintCommand) batch(ctx context.Context, s streams) error {
	b := &batch{imprintCommand: c, s: s, start: s.now(), tabulate: s.now()}
	if err := b.prepare(); err != nil {
		return err
	}
	b.work(ctx)
	// What was made stands in the table also when the batch was interrupted.
	if err := b.table.write(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(b.failed, err)
	}
	if b.failed != nil {
		return b.failed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.report()
}

// prepare looks at everything that can be wrong before the first form is opened.
func (b *batch) prepare() error {
	if b.Size != "" {
		if _, err := b.options(declared{b.Size, b.Shape}); err != nil {
			return err
		}
	} else if b.Sizes == "" {
		return errMissing.At(fault.Field("--size")).Saying("或 --sizes", "or --sizes")
	}
	var sizes sizeTable
	var err error
	if b.Sizes != "" {
		if sizes, err = readSizes(b.Sizes); err != nil {
			return err
		}
	}
	if b.Against != "" {
		return errFlag.At(fault.Field("--against")).Saying("只用于单份扫描件", "for a single form only")
	}
	if b.EveryPage && b.Page != 0 {
		return errFlag.At(fault.Field("--page")).Saying("不能与 --every-page 同用", "not together with --every-page")
	}
	if sameFile(b.Form, b.Output) {
		return errFlag.At(fault.Field("-o")).Saying("模板须写到另一个文件夹", "the templates go to another folder")
	}
	forms, others, err := b.forms()
	if err != nil {
		return err
	}
	if unknown := sizes.unknown(forms); len(unknown) > 0 {
		return errSizes.At(fault.File(b.Sizes)).Saying("没有这些扫描件："+strings.Join(unknown, "、"), "there are no such scans: "+strings.Join(unknown, ", "))
	}
	if others > 0 {
		fmt.Fprintf(b.s.err, "另有 %d 个文件不是扫描件，未处理。 %d other file(s) are no scans.\n", others, others)
	}
	if b.font, err = b.imprintCommand.font(); err != nil {
		return err
	}
	if err := b.folders(); err != nil {
		return err
	}
	b.plan(forms, sizes)
	b.shown = make([]any, len(b.jobs))
	name := b.Table
	if name == "" {
		name = filepath.Join(b.Output, "table.csv")
	}
	if err := checkOutput(name); err != nil {
		return err
	}
	b.table, err = openResults(name)
	return err
}

// folders makes those that the outputs go to.
func (b *batch) folders() error {
	for _, f := range b.outputs().named() {
		if err := checkPlace(f.name); err != nil {
			return err
		}
		if err := os.Mkdir(f.name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if info, err := os.Stat(f.name); err != nil {
			return err
		} else if !info.IsDir() {
			return errNoFolder.At(fault.File(f.name))
		}
	}
	return nil
}

// batchForm is one form of a batch before it is known what is declared of it.
type batchForm struct {
	name, path string
	page       int
}

// called is what the form's files are called, without ending: as the scan.
func (f batchForm) called(withEnding bool) string {
	name := filepath.Base(f.path)
	if !withEnding {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	if f.page > 0 {
		name += fmt.Sprintf("-%03d", f.page)
	}
	return name
}

// forms lists those of the batch, and counts the other files of the folder.
func (b *batch) forms() (forms []batchForm, others int, err error) {
	paths := []string{b.Form}
	if info, err := os.Stat(b.Form); err != nil {
		return nil, 0, err
	} else if info.IsDir() {
		if paths, others, err = formsIn(b.Form); err != nil {
			return nil, 0, err
		}
	}
	for _, path := range paths {
		f := batchForm{name: filepath.Base(path), path: path}
		pages := 0
		if b.EveryPage {
			// A scan that cannot be read is one form, whose failure stands in the table.
			if data, err := readScan(path); err == nil {
				pages, _ = imprint.Pages(data)
			}
		}
		if pages == 0 {
			forms = append(forms, f)
		}
		for page := 1; page <= pages; page++ {
			forms = append(forms, batchForm{name: fmt.Sprintf("%s#%d", f.name, page), path: path, page: page})
		}
	}
	return forms, others, nil
}

// formsIn lists the scans in a folder by name, and counts the other files. Hidden files are none of either.
func formsIn(folder string) (paths []string, others int, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), ".") || e.IsDir():
		case hasEnding(e.Name(), formEndings...):
			paths = append(paths, filepath.Join(folder, e.Name()))
		default:
			others++
		}
	}
	if len(paths) == 0 {
		return nil, others, errNoForms.At(fault.File(folder))
	}
	return paths, others, nil
}

// plan says what each form's files are called: as the scan without its ending, or with it where two scans differ in
// nothing else.
func (b *batch) plan(forms []batchForm, sizes sizeTable) {
	count := map[string]int{}
	for _, f := range forms {
		count[strings.ToLower(f.called(false))]++
	}
	for _, f := range forms {
		name := f.called(count[strings.ToLower(f.called(false))] > 1)
		in := func(folder, ending string) string {
			if folder == "" {
				return ""
			}
			return filepath.Join(folder, name+ending)
		}
		d := sizes.of(f)
		if d.size == "" {
			d.size = b.Size
		}
		if d.shape == "" {
			d.shape = b.Shape
		}
		b.jobs = append(b.jobs, job{form: f.name, path: f.path, page: f.page, declared: d, outputs: outputs{template: in(b.Output, ".png"), svg: in(b.SVG, ".svg"),
			pdf: in(b.PDF, ".outline.pdf"), thumbnail: in(b.Thumbnail, ".thumbnail.png"), sheet: in(b.Sheet, ".sheet.pdf"), evidence: in(b.Evidence, ".evidence.zip")}})
	}
}

// work does the jobs, a few at a time, in their order.
func (b *batch) work(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(batchWorkers, len(b.jobs)) {
		workers.Go(func() {
			for i := range next {
				b.do(ctx, i, stop)
			}
		})
	}
	for i := range b.jobs {
		if ctx.Err() != nil {
			break
		}
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
}

// do does one job. Its failure is a row of the table; only what would make all others fail, too, stops them.
func (b *batch) do(ctx context.Context, i int, stop func()) {
	j := b.jobs[i]
	row, shown, skipped, err := b.template(ctx, j)
	if ctx.Err() != nil {
		return // it is as if it had not begun
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if err != nil {
		if fatal := explain(err); fatal.Code == errDiskFull.Code || fatal.Code == errNotAllowed.Code && fatal.Place.File != j.path {
			b.failed = errors.Join(b.failed, err)
			stop()
			return
		}
		f := explain(err)
		row, shown = failedRow(j.form, f), map[string]any{"file": j.form, "error": faultJSON(f)}
	}
	b.table.set(row)
	b.shown[i] = shown
	b.done++
	if skipped {
		b.skipped++
	} else {
		b.progress(row)
	}
	if now := b.s.now(); now.Sub(b.tabulate) >= tableEvery {
		b.tabulate = now
		if err := b.table.write(ctx); err != nil && ctx.Err() == nil {
			b.failed = errors.Join(b.failed, err)
			stop()
		}
	}
}

// template makes the template of a form, unless the table says that it is there.
func (b *batch) template(ctx context.Context, j job) (row resultRow, shown any, skipped bool, err error) {
	if j.size == "" {
		return nil, nil, false, errNoSize.At(fault.File(j.path))
	}
	o, err := b.options(j.declared)
	if err != nil {
		return nil, nil, false, err
	}
	if j.page > 0 {
		o.Page = j.page
	}
	data, err := readScan(j.path)
	if err != nil {
		return nil, nil, false, err
	}
	scan := processed{digest: digestText(data), parameters: parametersOf(o)}
	before := b.before(j.form)
	if !b.Again && before.stands(scan, j.outputs) {
		return before, map[string]any{"file": j.form, "verdict": before[columnVerdict], "skipped": true}, true, nil
	}
	if before[columnScan] != "" && before[columnScan] != scan.digest {
		if err := j.outputs.withdraw(); err != nil { // another scan's, whatever becomes of this one
			return nil, nil, false, err
		}
	}
	m := made{name: j.path, digest: scan.digest}
	if err := m.make(ctx, data, o, true); err != nil {
		return nil, nil, false, err
	}
	if err := j.outputs.write(ctx, m, b.font); err != nil {
		return nil, nil, false, err
	}
	if !m.Acceptable() {
		if err := j.outputs.withdraw(); err != nil {
			return nil, nil, false, err
		}
	}
	told := m.shown()
	told.File = j.form
	return rowOf(j, m, scan), told, false, nil
}

// before is the row of a form from an earlier run; nil where there is none.
func (b *batch) before(form string) resultRow {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.table.row(form)
}

// progress tells on standard error how far the batch is, and how long the rest will take at this pace.
func (b *batch) progress(row resultRow) {
	left := ""
	if made := b.done - b.skipped; made > 0 && b.done < len(b.jobs) {
		rest := b.s.now().Sub(b.start) / time.Duration(made) * time.Duration(len(b.jobs)-b.done)
		left = "  剩余约 left about " + rest.Round(time.Second).String()
	}
	fmt.Fprintf(b.s.err, "%d/%d  %s  %s%s\n", b.done, len(b.jobs), row[columnForm], row[columnVerdict], left)
}

// report says what the batch gave, and with which status it ends.
func (b *batch) report() error {
	count := map[string]int{}
	for _, j := range b.jobs {
		count[b.table.row(j.form)[columnVerdict]]++
	}
	if b.JSON {
		if err := printJSON(b.s, b.shown); err != nil {
			return err
		}
	} else {
		for _, j := range b.jobs {
			if row := b.table.row(j.form); row[columnVerdict] != string(imprint.Usable) {
				fmt.Fprintf(b.s.out, "%s: %s  %s\n", row[columnForm], row[columnVerdict], row[columnReasons])
			}
		}
		fmt.Fprintf(b.s.out, "%d 份 forms: %d usable, %d warn, %d stamp-again, %d failed", len(b.jobs), count[string(imprint.Usable)], count[string(imprint.Warn)],
			count[string(imprint.StampAgain)], count[verdictFailed])
		if b.skipped > 0 {
			fmt.Fprintf(b.s.out, "（%d 份此前已完成 done before）", b.skipped)
		}
		fmt.Fprintf(b.s.out, "\n%s\n", b.table.name)
	}
	switch {
	case count[verdictFailed] > 0:
		return exit{exitFailed}
	case slices.ContainsFunc(b.jobs, func(j job) bool { return b.table.row(j.form)[columnTemplate] == "" }):
		return exit{exitRefused}
	}
	return nil
}
