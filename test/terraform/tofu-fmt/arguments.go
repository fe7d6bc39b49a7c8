// Stands in for the view's options of all commands, such as -no-color: none is understood here.
package arguments

import "github.com/opentofu/opentofu/internal/tfdiags"

type View struct{}

func ParseView(args []string) (*View, []string) { return &View{}, args }

type ViewOptions struct{}

func (*ViewOptions) Parse() (func(), tfdiags.Diagnostics) { return func() {}, nil }
