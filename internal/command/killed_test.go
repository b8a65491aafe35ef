package command

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
)

// The programs of killed.txtar. Each is a process of its own, since only a process can be killed.

// uploadProgram DIR FILE stores a document and prints its id.
func uploadProgram() { os.Exit(program(uploadAndWait)) }

// orderProgram DIR DOCUMENT KEY [die|later] seals it under an idempotency key and prints the result. die: the process
// kills itself after the intent is on record and before the key signs. later: the clock is a minute ahead.
func orderProgram() { os.Exit(program(order)) }

func program(do func(ctx context.Context, args []string) error) int {
	if err := do(context.Background(), os.Args[1:]); err != nil {
		fmt.Println(fault.CodeOf(err))
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func uploadAndWait(ctx context.Context, args []string) error {
	h, err := openInstallation(ctx, dataFlags{Data: args[0]}, time.Now)
	if err != nil {
		return err
	}
	defer h.close()
	actor, err := h.operator(ctx, "")
	if err != nil {
		return err
	}
	f, err := os.Open(args[1])
	if err != nil {
		return err
	}
	defer f.Close()
	d, err := h.sealer.Upload(ctx, actor, args[1], f)
	if err != nil {
		return err
	}
	fmt.Print(d.ID)
	return nil
}

func order(ctx context.Context, args []string) error {
	mode := append(args, "")[3]
	now := time.Now
	if mode == "later" {
		now = func() time.Time { return time.Now().Add(time.Minute) }
	}
	h, err := openInstallation(ctx, dataFlags{Data: args[0]}, now)
	if err != nil {
		return err
	}
	defer h.close()
	if mode == "die" {
		h.sealer.Intended = func(string) {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
			select {}
		}
	}
	actor, err := h.operator(ctx, "")
	if err != nil {
		return err
	}
	r, err := h.sealer.Seal(ctx, actor, sealer.Order{Document: args[1], Seal: "29010000000017", IdempotencyKey: args[2],
		Places: []sealer.Place{{Placement: pdf.Placement{Page: 1, X: 20, Y: 20}}}})
	if err != nil {
		return err
	}
	fmt.Printf("released %s replayed %v\n", r.Document.ID, r.Replayed)
	return nil
}
