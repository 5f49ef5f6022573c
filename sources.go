//go:build !embed

package main

// sourceCommands are those that take the project's sources: the binary with a site in
// it (build tag "embed") is without them.
var sourceCommands = []command{
	{"package", "write the JavaScript module and its models for other pages", runPackage},
	{"bench", "measure beside other runtimes in a browser", runBench},
	{"soak", "run the camera for minutes and see whether anything grows", runSoak},
	{"parity", "compare with onnxruntime-web, picture by picture, on a page", runParity},
}
