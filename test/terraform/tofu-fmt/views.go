// Stands in for what prints: the names of files on standard output, complaints without colour and source on standard error.
package views

import (
	"fmt"
	"io"
	"os"

	"github.com/opentofu/opentofu/internal/command/arguments"
	"github.com/opentofu/opentofu/internal/tfdiags"
)

type View struct{}

func (*View) Configure(*arguments.View) {}

func (*View) DiagsWithNewline() {}

func NewFmt(view *View) *View { return view }

func (*View) UserOutputWriter() io.Writer { return os.Stdout }

func (*View) Diagnostics(diags tfdiags.Diagnostics) {
	for _, diag := range diags {
		where := ""
		if subject := diag.Source().Subject; subject != nil {
			where = subject.StartString() + ": "
		}
		fmt.Fprintf(os.Stderr, "%s%s: %s\n", where, diag.Description().Summary, diag.Description().Detail)
	}
}
