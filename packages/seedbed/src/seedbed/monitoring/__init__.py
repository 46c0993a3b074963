"""A model in use is watched: do its inputs and its performance still look as they did?"""
