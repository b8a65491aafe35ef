package view

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/fault"
)

// trigger is the page number at which a misdeed happens.
const trigger = 77

func init() {
	for name, deed := range map[string]func(){
		"exit":  func() { os.Exit(3) },
		"panic": func() { panic("as the test wants") },
		"hang":  func() { select {} },
		"spin": func() {
			for {
				runtime.Gosched()
			}
		},
		"memory": func() {
			var kept [][]byte
			for {
				b := make([]byte, 32<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				kept = append(kept, b)
				runtime.KeepAlive(kept)
			}
		},
		"babble": func() { fmt.Print("this is no frame"); select {} },
		"flood": func() {
			for {
				_ = writeFrame(os.Stdout, kindPart, make([]byte, partSize))
			}
		},
		"beyond":  func() { _ = writeFrame(os.Stdout, kindNeed, needPayload(1<<40, 10)); select {} },
		"lie":     func() { _ = writeJSON(os.Stdout, kindAnswer, answer{Width: 5, Height: 5}); select {} },
		"unknown": func() { _ = writeJSON(os.Stdout, kindFailed, failed{Code: "ca.not-found"}); select {} },
		"reach":   reach,
	} {
		misdeeds[name] = func(q request) {
			if q.Page == trigger {
				deed()
			}
		}
	}
}

// reach tries what a worker must not be able to do, and says on standard error what came of it.
func reach() {
	file, err := os.Open("/etc/hostname")
	fmt.Fprintln(os.Stderr, "read:", file != nil, err)
	file, err = os.Create(filepath.Join(os.TempDir(), "view-worker-was-here"))
	fmt.Fprintln(os.Stderr, "write:", file != nil, err)
	err = os.Remove("/tmp/view-worker-removes-this")
	fmt.Fprintln(os.Stderr, "remove:", err == nil, err)
	conn, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
	fmt.Fprintln(os.Stderr, "connect:", conn != nil, err)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	fmt.Fprintln(os.Stderr, "listen:", socket != nil, err)
	err = exec.Command("/bin/true").Run()
	fmt.Fprintln(os.Stderr, "run:", err == nil, err)
	fmt.Fprintln(os.Stderr, "environment:", len(os.Environ()) > 0, os.Environ())
	os.Exit(4)
}

var simple = onePage("/MediaBox [0 0 200 100]", "0 0 100 100 re f")

// works reports whether the viewer draws a plain page.
func works(t *testing.T, v *Viewer) {
	t.Helper()
	r, n := reader(simple)
	if _, err := v.Render(t.Context(), r, n, 1, 72); err != nil {
		t.Errorf("a plain page afterwards: %v", err)
	}
}

func TestAWorkerGoneWrongCostsItsRequestOnly(t *testing.T) {
	for misdeed, code := range map[string]string{"exit": "view.worker", "panic": "view.worker", "hang": "view.timeout", "spin": "view.timeout", "memory": "view.worker",
		"babble": "view.worker", "flood": "view.worker", "beyond": "view.worker", "lie": "view.worker", "unknown": "view.worker"} {
		t.Run(misdeed, func(t *testing.T) {
			v := newViewer(t, misdeed, Config{Timeout: 3 * time.Second, Memory: 64 << 20, MaxPixels: 50_000})
			works(t, v)
			first := v.idle[0]
			r, n := reader(simple)
			start := time.Now()
			_, err := v.Render(t.Context(), r, n, trigger, 72)
			if fault.CodeOf(err) != code {
				t.Errorf("%v, want %s", err, code)
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("took %s", took)
			}
			if misdeed == "lie" {
				first.end() // it answered, and could do so again
				v.mu.Lock()
				v.idle, v.alive = nil, 0
				v.mu.Unlock()
			}
			select {
			case <-first.ended:
			case <-time.After(5 * time.Second):
				t.Error("the worker still runs")
			}
			works(t, v)
			if misdeed == "panic" && !strings.Contains(err.Error(), "as the test wants") {
				t.Errorf("the operator does not learn why: %v", err)
			}
		})
	}
}

func TestAWorkerReachesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the process confines itself on Linux only")
	}
	removable := "/tmp/view-worker-removes-this"
	if err := os.WriteFile(removable, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(removable)
	t.Setenv("YINXIN_SECRET", "not for workers")
	v := newViewer(t, "reach", Config{})
	r, n := reader(simple)
	_, err := v.Render(t.Context(), r, n, trigger, 72)
	if fault.CodeOf(err) != "view.worker" {
		t.Fatal(err)
	}
	text := err.Error()
	for _, what := range []string{"read", "write", "remove", "connect", "listen", "run", "environment"} {
		if !strings.Contains(text, what+": false") {
			t.Errorf("%s is possible: %s", what, text)
		}
	}
	t.Log(text)
}

// A worker's system calls after it is ready are looked at from outside, with a document that asks for files, programs
// and addresses.
func TestADocumentOpensNothing(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed")
	}
	log := filepath.Join(t.TempDir(), "calls")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	strace, _ := exec.LookPath("strace")
	v := New(Config{Path: strace, CacheDir: cache, Timeout: 30 * time.Second,
		Args: []string{"strace", "-D", "-f", "-qq", "-o", log, "-e", "trace=%file,%network,%process,memfd_create,seccomp", self, workerName, ""}})
	if err := v.Warm(t.Context()); err != nil {
		t.Skip("strace does not work here: ", err)
	}
	data := build("<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /Launch /F (/bin/true) >> /AA << /WC << /S /JavaScript /JS (app.launchURL\\('http://127.0.0.1:9/'\\)) >> >> /AcroForm << /Fields [7 0 R] /NeedAppearances true >> >>",
		"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /AA << /O << /S /URI /URI (http://127.0.0.1:9/) >> >> /Annots [6 0 R 7 0 R]"+
			" /Resources << /XObject << /I 5 0 R >> /Font << /H << /Type /Font /Subtype /TrueType /BaseFont /FangSong >> >> >> >>",
		stream("", "q 100 0 0 100 0 0 cm /I Do Q BT /H 12 Tf 10 10 Td (text) Tj ET"),
		stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray /F (/etc/hostname) /FFilter /ASCIIHexDecode", "00"),
		"<< /Type /Annot /Subtype /Link /Rect [0 0 50 50] /A << /S /GoToR /F (/etc/hostname) /D [0 /Fit] >> >>",
		"<< /Type /Annot /Subtype /Widget /Rect [50 0 150 50] /FT /Tx /T (a) /V (x) /DA (/Helv 0 Tf) /AA << /C << /S /JavaScript /JS (1) >> /F << /S /SubmitForm /F (http://127.0.0.1:9/) >> >> >>")
	r, n := reader(data)
	_, err = v.Render(t.Context(), r, n, 1, 72)
	_, found := v.Find(t.Context(), r, n, Query{Text: "text"})
	v.Close()
	if err != nil || found != nil {
		t.Error(err, found)
	}
	calls, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	ready := bytes.LastIndex(calls, []byte("seccomp(SECCOMP_SET_MODE_FILTER"))
	if ready < 0 {
		t.Fatalf("the filter was not installed: %s", calls)
	}
	for line := range strings.Lines(string(calls[ready:])) {
		// Go starts threads and signals them; the process ends or is killed.
		harmless := false
		for _, part := range []string{"seccomp(", "clone", "exit", "killed", "resumed", "tgkill", "SIGURG"} {
			harmless = harmless || strings.Contains(line, part)
		}
		if !harmless {
			t.Errorf("a system call of the worker: %s", line)
		}
	}
}

func TestWorkersAreReplacedAfterSomeDocuments(t *testing.T) {
	v := newViewer(t, "", Config{Documents: 2, Spare: true})
	seen := map[int]int{}
	for range 6 {
		works(t, v)
		v.mu.Lock()
		if v.alive > 2 {
			t.Errorf("%d processes", v.alive)
		}
		for _, p := range v.idle {
			seen[p.cmd.Process.Pid] = max(seen[p.cmd.Process.Pid], p.served)
		}
		v.mu.Unlock()
	}
	for pid, served := range seen {
		if served > 2 {
			t.Errorf("process %d served %d", pid, served)
		}
	}
	if len(seen) < 3 {
		t.Errorf("only %d processes", len(seen))
	}
}

func TestRequestsEndWithTheirContextAndWithTheViewer(t *testing.T) {
	r, n := reader(simple)
	v := newViewer(t, "hang", Config{Workers: 2, Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	if _, err := v.Render(ctx, r, n, trigger, 72); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	works(t, v)
	var wait sync.WaitGroup
	for range 4 { // two at work, two waiting
		wait.Go(func() {
			if _, err := v.Render(context.Background(), bytes.NewReader(simple), n, trigger, 72); fault.CodeOf(err) != "view.closed" {
				t.Errorf("closed: %v", err)
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	v.Close()
	wait.Wait()
	if _, err := v.Render(t.Context(), r, n, 1, 72); fault.CodeOf(err) != "view.closed" {
		t.Errorf("after closing: %v", err)
	}
	if v.alive != 0 {
		t.Errorf("%d processes left", v.alive)
	}
	v.Close()
}

func TestManyRequestsShareFewWorkers(t *testing.T) {
	v := newViewer(t, "", Config{Workers: 2})
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			data := onePage(fmt.Sprintf("/MediaBox [0 0 %d 100]", 100+i), "")
			for range 5 {
				p, err := v.Render(t.Context(), bytes.NewReader(data), int64(len(data)), 1, 72)
				if err != nil || p.Width != 100+i {
					t.Errorf("%d: %+v %v", i, p, err)
				}
			}
		})
	}
	wait.Wait()
	if v.alive > 2 {
		t.Errorf("%d processes", v.alive)
	}
}

type failing struct {
	io.ReaderAt
	after int64
}

var errDisk = errors.New("the disk is gone")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off >= f.after {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestAnUnreadableStoreIsNotABadDocument(t *testing.T) {
	v := newViewer(t, "", Config{})
	big := onePage("/MediaBox [0 0 200 100]", strings.Repeat("0 0 1 1 re f\n", 20_000))
	for _, after := range []int64{0, blockSize} {
		if _, err := v.Render(t.Context(), failing{bytes.NewReader(big), after}, int64(len(big)), 1, 72); !errors.Is(err, errDisk) {
			t.Errorf("failing from %d: %v", after, err)
		}
	}
	if _, err := v.Render(t.Context(), bytes.NewReader(big), int64(len(big))+100, 1, 72); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("shorter than said: %v", err)
	}
	works(t, v)
}

func TestAWorkerThatDoesNotStartSaysSo(t *testing.T) {
	r, n := reader(simple)
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), "/bin/true"} {
		v := New(Config{Path: path, Args: []string{"x"}})
		if _, err := v.Render(t.Context(), r, n, 1, 72); fault.CodeOf(err) != "view.worker" {
			t.Errorf("%s: %v", path, err)
		}
		v.Close()
	}
}

func TestAWorkerThatHangsAtItsStartIsReplaced(t *testing.T) {
	var told []error
	v := newViewer(t, "late:"+t.TempDir(), Config{Report: func(err error) { told = append(told, err) }})
	v.startTimes = []time.Duration{time.Second, time.Minute}
	works(t, v)
	if len(told) != 1 || !errors.Is(told[0], errLate) {
		t.Fatalf("the operator is told %v", told)
	}
	if runtime.GOOS != "windows" && !strings.Contains(told[0].Error(), "startLate") {
		t.Errorf("where it hung is not said: %v", told[0])
	}
	if v.alive != 1 {
		t.Errorf("%d processes", v.alive)
	}
	v = newViewer(t, "late:", Config{})
	v.startTimes = []time.Duration{100 * time.Millisecond, 200 * time.Millisecond}
	r, n := reader(simple)
	if _, err := v.Render(t.Context(), r, n, 1, 72); fault.CodeOf(err) != "view.worker" || !errors.Is(err, errLate) {
		t.Errorf("all hang: %v", err)
	}
	if v.alive != 0 {
		t.Errorf("%d processes are left", v.alive)
	}
}

func TestACacheThatOthersMayWriteIsNotUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	if !cacheUsable(dir) {
		t.Error("a new folder is not used")
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && cacheUsable(dir) {
		t.Error("a folder that everyone may write in is used")
	}
}
