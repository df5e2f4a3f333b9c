"""What people read of a file or folder that no command expected to fail."""

import errno

_RIGHTS = "this user may not write there: look at its owner and rights, and at `data_dir`"
_ADVICE = {
    errno.ENOSPC: "the disk is full: make space and run this again",
    errno.EDQUOT: "this user's share of the disk is used up: make space and run this again",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.EEXIST: "a file is in the place of a folder: look at `data_dir`",
    errno.ENOTDIR: "a file is in the place of a folder: look at `data_dir`",
    errno.ELOOP: "links that lead in a circle",
    errno.ENAMETOOLONG: "give it a shorter name",
}


def explain_file_error(error: OSError) -> str:
    """Return what is wrong and what to do, as a line; the error must have its reason (`strerror`)."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return f"{what}: {_ADVICE.get(error.errno or 0, '--debug shows where')}"
