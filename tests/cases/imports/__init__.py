"""Small files of our own making in the forms that people have them: quirks of CSV, and the files of apps."""
