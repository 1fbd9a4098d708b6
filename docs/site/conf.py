"""The settings of Sphinx for the documentation; `docs/build.py` calls it."""

from pathlib import Path

import numpydoc.xref
import reference
from numpydoc.docscrape_sphinx import SphinxDocString

import micrograd

project = "micrograd"
author = "the micrograd maintainers"
project_copyright = "the micrograd maintainers"
version = release = micrograd.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_nb",
    "living",
    "units",
]
exclude_patterns = ["_templates"]
templates_path = ["_templates"]
nitpicky = True
# What is not an ASCII quotation mark in code would be one in a copied line.
smartquotes = False
# In docstrings a word between single backticks is code: an argument, a value, a name.
default_role = "code"
add_function_parentheses = True
add_module_names = False

# ---- what stands in the docstrings -------------------------------------------------------------

autodoc_default_options = {"member-order": "groupwise"}
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False
# Types of this package are links; all other words of a type are words.
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc.xref.DEFAULT_LINKS.clear()
numpydoc_xref_aliases = reference.aliases()
# The attributes of a class are said once, in its docstring, even where they are properties.
_as_said = SphinxDocString._process_param
SphinxDocString._process_param = lambda self, param, desc, _: _as_said(self, param, desc, False)
# Where Python's own names are explained: written by docs/build.py, nothing is fetched.
intersphinx_mapping = {"python": ("https://docs.python.org/3", "python.inv")}

# ---- notebooks ---------------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline", "attrs_block"]
myst_heading_anchors = 3
# The pages of the tour and of the workings are run at each build; those of the course are shown
# as they are stored, for a test of theirs runs them.
nb_execution_mode = "force"
nb_execution_excludepatterns = ["course/*"]
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True
nb_output_stderr = "show"
# What a widget shows without a kernel is HTML: no widget manager is loaded from elsewhere.
nb_ipywidgets_js = {}

# ---- pages -------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "micrograd"
html_favicon = "_static/icon.svg"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_search_scorer = str(Path(__file__).with_name("scorer.js"))
mathjax_path = "mathjax/tex-svg.js"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["playground", "theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "show_prev_next": True,
    "search_bar_text": "Search the documentation",
    "footer_start": ["copyright"],
    "footer_end": ["licences"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": False,
}
_NO_SIDEBAR = ("index", "install", "benchmarks", "licences")
html_sidebars = {**{name: [] for name in _NO_SIDEBAR}, "**": ["sidebar-nav-bs"]}
