package contextd

// Version is the version of this package.
const Version = "0.5.0"
