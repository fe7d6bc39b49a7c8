// Installs an apk into a root as Alpine's `apk add --initdb --allow-untrusted --root` does, and lists what is installed there.
//
//	apk-install ROOT FILE.apk
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/chainguard-dev/go-apk/pkg/apk"
	apkfs "github.com/chainguard-dev/go-apk/pkg/fs"
)

type file string

func (f file) URL() string          { return string(f) }
func (file) PackageName() string    { return "vipshift-notify" }
func (file) ChecksumString() string { return "" }

func run(root, path string) error {
	ctx := context.Background()
	db, err := apk.New(apk.WithFS(apkfs.DirFS(root)), apk.WithArch("x86_64"), apk.WithIgnoreMknodErrors(true))
	if err != nil {
		return err
	}
	if err := db.InitDB(ctx); err != nil {
		return err
	}
	date := time.Unix(0, 0)
	if err := db.InstallPackages(ctx, &date, []apk.InstallablePackage{file(path)}); err != nil {
		return err
	}
	installed, err := db.GetInstalled()
	if err != nil {
		return err
	}
	for _, one := range installed {
		fmt.Println(one.Name, one.Version, one.Arch)
		for _, entry := range one.Files {
			fmt.Println(" ", entry.Name)
		}
	}
	return nil
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
