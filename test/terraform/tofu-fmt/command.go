// Stands in for the rest of the package: of Meta the command uses the view and the working directory.
package command

import (
	"github.com/opentofu/opentofu/internal/command/views"
	"github.com/opentofu/opentofu/internal/command/workdir"
)

type Meta struct {
	View       *views.View
	WorkingDir *workdir.Dir
}

func New() *FmtCommand {
	return &FmtCommand{Meta: Meta{View: &views.View{}, WorkingDir: workdir.NewDir(".")}}
}

// Sources are not printed.
func (*Meta) registerSynthConfigSource(string, []byte) {}
