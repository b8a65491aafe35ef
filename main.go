// Command yinxin issues certificates, makes electronic seals, seals PDF documents and verifies them.
package main

import (
	"os"

	"yinxin/internal/command"
)

func main() { os.Exit(command.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
