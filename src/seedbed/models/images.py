def draw_training(*a): pass
def draw_evaluation(*a): pass
