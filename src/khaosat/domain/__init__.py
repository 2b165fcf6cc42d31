"""The frozen nouns: what khaosat's verbs act on. No files, no figures."""
