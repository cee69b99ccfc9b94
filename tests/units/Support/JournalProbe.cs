using System.Reflection;
using IngestTools.Journal;

namespace IngestTools.Units.Support;

/// <summary>A journal that does something once, when a method is called for the first time.</summary>
public class JournalProbe : DispatchProxy
{
    private IIngestJournal? _journal;
    private string? _method;
    private Action? _action;

    public static IIngestJournal Of(IIngestJournal journal, string method, Action action)
    {
        IIngestJournal proxy = Create<IIngestJournal, JournalProbe>();
        JournalProbe probe = (JournalProbe)proxy;
        (probe._journal, probe._method, probe._action) = (journal, method, action);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == _method)
            Interlocked.Exchange(ref _action, null)?.Invoke();
        return targetMethod.Invoke(_journal, args);
    }
}
