// `tofu fmt` alone: OpenTofu's own command, with what it takes from the rest of OpenTofu stood in for (../tofu-fmt.ts).
package main

import (
	"io"
	"log"
	"os"

	"github.com/opentofu/opentofu/internal/command"
)

func main() {
	// OpenTofu's traces, of each file.
	log.SetOutput(io.Discard)
	os.Exit(command.New().Run(os.Args[1:]))
}
