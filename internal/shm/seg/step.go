package seg

// step is called at each point at which a test kills the process.
var step = func(point string) {}
