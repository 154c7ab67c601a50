"""Recipes: chains of edits with literal settings, kept in TOML files that people copy and change."""

from vedit.recipes.history import lengthened as lengthened
from vedit.recipes.load import available as available
from vedit.recipes.load import find_recipe as find_recipe
from vedit.recipes.load import load_recipe as load_recipe
from vedit.recipes.load import parse_recipe as parse_recipe
from vedit.recipes.recipe import Recipe as Recipe
from vedit.recipes.recipe import Step as Step
from vedit.recipes.recipe import recipe_of as recipe_of
