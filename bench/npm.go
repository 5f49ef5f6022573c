package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Install fetches the pinned peers into dir, the bench's folder, once for each package-lock.json.
func Install(ctx context.Context, dir string, log io.Writer) error {
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return fmt.Errorf("the bench runs from the project's sources: %w", err)
	}
	stamp := filepath.Join(dir, "node_modules", ".installed-lock.json")
	if done, err := os.ReadFile(stamp); err == nil && bytes.Equal(done, lock) {
		return nil
	}
	fmt.Fprintln(log, "installing the peers (npm ci) ...")
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s (Node.js and a registry are needed for the peers): %w\n%s", dir, err, out)
	}
	return os.WriteFile(stamp, lock, 0o644)
}

// packageVersion is the installed version of an npm package.
func packageVersion(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, "node_modules", name, "package.json"))
	var p struct{ Version string }
	if err != nil || json.Unmarshal(data, &p) != nil {
		return "unknown"
	}
	return p.Version
}
