namespace IngestTools.PowerShell.Abstractions;

/// <summary>What is to be done with a post.</summary>
internal enum PostKind
{
    /// <summary>Write one object.</summary>
    Output,

    /// <summary>Write the objects of an array, and the errors among them.</summary>
    Outputs,

    /// <summary>Write an error record.</summary>
    Error,

    /// <summary>Write a warning.</summary>
    Warning,

    /// <summary>Write a verbose message.</summary>
    Verbose,

    /// <summary>Write a debug message.</summary>
    Debug,

    /// <summary>Ask the user.</summary>
    Question,
}

/// <summary>Something that only the pipeline's thread may do.</summary>
/// <param name="Kind">What is to be done.</param>
/// <param name="Content">What it is done with.</param>
internal readonly record struct PipelinePost(PostKind Kind, object? Content);

/// <summary>A question whose answer the work waits for.</summary>
/// <param name="ask">Runs on the pipeline's thread.</param>
internal sealed class PipelineQuestion(Func<bool> ask)
{
    private readonly TaskCompletionSource<bool> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<bool> Answer => _answer.Task;

    internal void Ask() => _answer.SetResult(ask());
}
