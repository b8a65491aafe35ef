package command

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"yinxin/internal/access"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/terminal"
)

// clerkProgram DIR ACTOR is what a clerk's page does beside a server: pair prints a pairing code; task SEAL FILE… asks for files
// to be sealed and prints the task; fetch TASK FOLDER writes what was sealed, named 1.pdf and so on.
func clerkProgram() { os.Exit(program(clerkPage)) }

func clerkPage(ctx context.Context, args []string) error {
	h, err := openInstallation(ctx, dataFlags{Data: args[0]}, time.Now)
	if err != nil {
		return err
	}
	defer h.close()
	clerk, err := h.access.Actor(ctx, args[1])
	if err != nil {
		return err
	}
	switch args[2] {
	case "pair":
		code, _, err := h.terminals.OpenPairing(ctx, clerk)
		if err != nil {
			return err
		}
		fmt.Print(code.Text())
		return nil
	case "task":
		return clerkTask(ctx, h, clerk, args[3], args[4:])
	}
	return clerkFetch(ctx, h, clerk, args[3], args[4])
}

func clerkTask(ctx context.Context, h *installation, clerk access.Actor, seal string, names []string) error {
	t := terminal.NewTask{Origin: "档案查询系统", IdempotencyKey: rand.Text()}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		d, err := h.sealer.Upload(ctx, clerk, name, f)
		f.Close()
		if err != nil {
			return err
		}
		t.Orders = append(t.Orders, sealer.Order{Document: d.ID, Seal: seal, Places: []sealer.Place{{Placement: pdf.Placement{Page: 1, X: 30, Y: 40}}}})
	}
	made, _, err := h.terminals.Create(ctx, clerk, t)
	fmt.Print(made.ID)
	return err
}

func clerkFetch(ctx context.Context, h *installation, clerk access.Actor, id, folder string) error {
	t, err := h.terminals.Task(ctx, clerk, id)
	if err != nil {
		return err
	}
	for i, item := range t.Items {
		fmt.Println(item.State, item.Reason)
		if item.Result == "" {
			continue
		}
		d, err := h.sealer.Document(ctx, clerk, item.Result)
		if err != nil {
			return err
		}
		f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%d.pdf", i+1)))
		if err != nil {
			return err
		}
		if err := h.sealer.Copy(ctx, f, d); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
